"""What a client saw, written so that what differs from run to run does not count as a difference."""

import json
import re

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
TOKENS = {"PolicyUpdateToken", "ListUpdateToken", "UpdateToken", "NextToken"}
TIMES = {"LastUpdated", "ExpiredAt", "CreateTime", "LastUpdateTime"}
# Members that hold the id of a resource set, which is no UUID.
SET_IDS = {"Id", "ResourceSetIdentifier"}


class Transcript:
    def __init__(self):
        self.lines, self.ids = [], {}

    def note(self, what, value):
        self.learn(value)
        text = json.dumps(self.settled(value), sort_keys=True)
        self.lines.append(f"{what}: {text}")

    def label(self, text):
        return self.ids.setdefault(text, f"<id {len(self.ids)}>")

    def learn(self, value):
        """Finds the ids that are known by the member that holds them."""
        if isinstance(value, dict):
            for key, member in value.items():
                if key in SET_IDS and isinstance(member, str):
                    self.label(member)
                self.learn(member)
        elif isinstance(value, list):
            for member in value:
                self.learn(member)

    def settled(self, value):
        if isinstance(value, dict):
            return {key: "<token>" if key in TOKENS else "<time>" if key in TIMES
                    else self.settled(member) for key, member in value.items()}
        if isinstance(value, list):
            return [self.settled(member) for member in value]
        if isinstance(value, str):
            value = UUID.sub(lambda found: self.label(found[0]), value)
            for known, label in self.ids.items():
                value = value.replace(known, label)
        return value
