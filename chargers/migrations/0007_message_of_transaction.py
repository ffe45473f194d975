from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('chargers', '0006_charger_security'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('transaction', ''), _negated=True), fields=['charger', 'transaction', 'epoch', 'sequence'], name='message_of_transaction'),
        ),
    ]
