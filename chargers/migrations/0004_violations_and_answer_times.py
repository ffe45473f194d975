import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('chargers', '0003_job'),
        ('tenants', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='message',
            name='violation_code',
            field=models.CharField(blank=True, default='', max_length=24),
        ),
        migrations.AddField(
            model_name='message',
            name='violation',
            field=models.CharField(blank=True, default='', max_length=500),
        ),
        migrations.AddField(
            model_name='message',
            name='answer_ms',
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='messagecount',
            name='violations',
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='messagecount',
            name='unanswered',
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('violation_code', ''), _negated=True), fields=['charger', 'epoch', 'sequence'], name='violation_of_charger'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('violation_code', ''), _negated=True), fields=['tenant', 'at', 'id'], name='violation_age'),
        ),
        migrations.CreateModel(
            name='AnswerTime',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('action', models.CharField(blank=True, max_length=50)),
                ('hour', models.DateTimeField()),
                ('bucket', models.PositiveSmallIntegerField()),
                ('count', models.PositiveBigIntegerField()),
                ('longest_ms', models.FloatField()),
                ('charger', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='chargers.charger')),
                ('tenant', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenants.organization')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('charger', 'action', 'hour', 'bucket'), name='answer_time_once')],
            },
        ),
    ]
