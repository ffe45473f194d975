"""From the lab's rows to what peers see: statuses, sessions, CDRs.

Level-triggered: whatever the follower does, it does by looking at how things stand now, so that it may be killed,
started again, or run twice at any moment.
"""
