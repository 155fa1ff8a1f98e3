#!/usr/bin/env python3
"""Follows Jumun's log on Kafka by the header rule of ../following-kafka.md, and writes a line of JSON per event to a file.

    consumer.py BROKERS PREFIX OUTPUT        for example: consumer.py 127.0.0.1:9092 jumun events.ndjson

Its places are in OUTPUT.places. They say how long OUTPUT was when they were right, so that after a crash each event is in it once.
"""
import json
import os
import sys

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

TOPICS = ["customers", "catalog", "stock", "carts", "orders", "payments", "notifications"]


class Place:
    """All of a partition up to `position` is taken; it goes on at `offset`."""

    def __init__(self, position=0, offset=OFFSET_BEGINNING, epoch=None):
        self.position, self.offset, self.epoch, self.hole = position, offset, epoch, None

    def see(self, position, prev, epoch):
        """The header rule: whether this record is the next one."""
        if self.epoch not in (None, epoch):
            sys.exit(f"this is the log {epoch}, and we have followed {self.epoch}: begin anew")
        self.epoch = epoch
        if position <= self.position:
            return False
        if prev > self.position:
            self.hole = (self.position, prev)
            return False
        self.position, self.hole = position, None
        return True


class Output:
    """The events, and the places that belong to them."""

    def __init__(self, path):
        self.path, self.places, length = path + ".places", {}, 0
        if os.path.exists(self.path):
            with open(self.path) as file:
                kept = json.load(file)
            length = kept["length"]
            for topic, partition, position, offset, epoch in kept["places"]:
                self.places[topic, partition] = Place(position, offset, epoch)
        self.file = open(path, "ab")
        self.file.truncate(length)

    def keep(self):
        self.file.flush()
        os.fsync(self.file.fileno())
        places = [[*key, place.position, place.offset, place.epoch] for key, place in self.places.items()]
        with open(self.path + ".new", "w") as file:
            json.dump({"length": self.file.tell(), "places": places}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(self.path + ".new", self.path)


def take(message, place, file):
    headers = {name: value.decode() for name, value in message.headers() or []}
    position = int(headers["ce_position"])
    had = place.hole
    if place.see(position, int(headers["ce_prevposition"]), headers["ce_epoch"]) and message.key() is not None:
        line = {
            "topic": message.topic(), "partition": message.partition(), "position": position,
            "id": headers["ce_id"], "type": headers["ce_type"], "stream": headers["ce_subject"],
            "version": int(headers["ce_streamversion"]), "data": json.loads(message.value()),
        }
        file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
    if place.hole is None:
        place.offset = message.offset() + 1
    elif place.hole != had:
        after, until = place.hole
        print(f"{message.topic()}/{message.partition()} lacks events after {after} up to {until}", file=sys.stderr)


def main(brokers, prefix, path):
    output = Output(path)
    consumer = Consumer({
        "bootstrap.servers": brokers, "group.id": f"{prefix}-example", "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
    })
    found = consumer.list_topics(timeout=10).topics
    for topic in (f"{prefix}.{name}" for name in TOPICS):
        for partition in found[topic].partitions:
            output.places.setdefault((topic, partition), Place())
    consumer.assign([TopicPartition(*key, place.offset) for key, place in output.places.items()])
    while True:
        for message in consumer.consume(500, 0.2):
            if message.error():
                print(message.error(), file=sys.stderr)
                continue
            take(message, output.places[message.topic(), message.partition()], output.file)
        output.keep()


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
