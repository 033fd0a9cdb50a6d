"""Splits and merges shards in ministack's Kinesis (1.5.33) as AWS does, within the emulator's own process.

The emulator throws a shard away with its records when it is split or merged, and CloudFormation's ShardCount changes
nothing. On AWS the shard is closed: it takes no further record and stays readable to its end, and its children name
it as their parent
(https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html).
"""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from ministack.services import kinesis  # type: ignore[import-untyped]  # it ships no types

from local.emulator.emulated_kinesis import KinesisAnswer

END = "ending_sequence_number"
"""A closed shard has it beside the emulator's own entries."""
PARENTS = ("ShardToSplit", "ShardToMerge", "AdjacentShardToMerge")

type Members = dict[str, Any]
type Operation = Callable[[Members], KinesisAnswer]
type Shards = dict[str, Members]
type Updated = tuple[str, dict[str, str]]


def mend() -> None:
    """Put it right for as long as this process runs."""
    # There is no setting for any of it.
    kinesis._split_shard = keeping_closed(kinesis._split_shard)  # noqa: SLF001
    kinesis._merge_shards = keeping_closed(kinesis._merge_shards)  # noqa: SLF001
    kinesis._update_shard_count = update_shard_count  # noqa: SLF001
    kinesis._route_to_shard = to_an_open_shard(kinesis._route_to_shard)  # noqa: SLF001
    kinesis._get_records = ending(kinesis._get_records)  # noqa: SLF001
    kinesis._shard_out = telling_its_end(kinesis._shard_out)  # noqa: SLF001
    kinesis._describe_stream_summary = counting_open(kinesis._describe_stream_summary)  # noqa: SLF001


def opened(shards: Shards) -> Shards:
    """The shards that take records."""
    return {shard_id: shard for shard_id, shard in shards.items() if END not in shard}


def keeping_closed(reshard: Operation) -> Operation:
    """The split or merge, which deletes the parents: they stay, closed."""

    def resharded(asked: Members) -> KinesisAnswer:
        _, stream = kinesis._resolve_stream(asked)  # noqa: SLF001
        before = dict(stream["shards"]) if stream else {}
        for shard_id in map(asked.get, PARENTS):
            if shard_id in before and END in before[shard_id]:
                return refused("ResourceInUseException", f"Shard {shard_id} is closed")
        answer = reshard(asked)
        if stream:
            end = {END: kinesis._next_sequence_number()}  # noqa: SLF001
            for shard_id in before.keys() - stream["shards"].keys():
                before[shard_id].update(end)
            stream["shards"] = before | stream["shards"]
        return answer

    return resharded


def update_shard_count(asked: Members) -> KinesisAnswer:
    """Double or halve the open shards; AWS knows more, by way of several splits and merges."""
    name, stream = kinesis._resolve_stream(asked)  # noqa: SLF001
    if not stream:
        return refused("ResourceNotFoundException", f"Stream {name} not found")
    shards = sorted(opened(stream["shards"]).items(), key=lambda each: int(each[1]["starting_hash_key"]))
    target = asked.get("TargetShardCount")
    match target:
        case int() if target == 2 * len(shards):
            for shard_id, shard in shards:
                middle = (int(shard["starting_hash_key"]) + int(shard["ending_hash_key"]) + 1) // 2
                kinesis._split_shard(  # noqa: SLF001
                    {"StreamName": name, "ShardToSplit": shard_id, "NewStartingHashKey": str(middle)}
                )
        case int() if 2 * target == len(shards):
            for (one, _), (next_one, _) in zip(shards[::2], shards[1::2], strict=True):
                kinesis._merge_shards(  # noqa: SLF001
                    {"StreamName": name, "ShardToMerge": one, "AdjacentShardToMerge": next_one}
                )
        case _ if target != len(shards):
            return refused("ValidationException", f"The emulator doubles or halves {len(shards)} shards, no more")
    counts = {"CurrentShardCount": len(shards), "TargetShardCount": target}
    return answering({"StreamName": name, "StreamARN": stream["StreamARN"]} | counts)


def refused(kind: str, message: str) -> KinesisAnswer:
    """The service's answer to a request that it refuses."""
    answer: KinesisAnswer = kinesis.error_response_json(kind, message, HTTPStatus.BAD_REQUEST)
    return answer


def answering(content: Members) -> KinesisAnswer:
    """The service's answer with this content."""
    answer: KinesisAnswer = kinesis.json_response(content)
    return answer


def to_an_open_shard(route: Callable[[int, Members], str]) -> Callable[[int, Members], str]:
    """The choice of a record's shard, shown the open ones alone."""

    def routed(hash_key: int, stream: Members) -> str:
        return route(hash_key, {"shards": opened(stream["shards"])})

    return routed


def amending(operation: Operation, amend: Callable[[Members, Members], None]) -> Operation:
    """The operation, whose answer `amend` changes, shown the request and the answer, unless it is a refusal."""

    def amended(asked: Members) -> KinesisAnswer:
        status, headers, body = operation(asked)
        if status != HTTPStatus.OK:
            return status, headers, body
        answer = json.loads(body)
        amend(asked, answer)
        return answering(answer)

    return amended


def ending(get_records: Operation) -> Operation:
    """The read, which always gives a next iterator: none once a closed shard is read to its end."""

    def end(_asked: Members, answer: Members) -> None:
        place = kinesis._shard_iterators[answer["NextShardIterator"]]  # noqa: SLF001
        if place["position"] >= len(shard_of(place)["records"]):
            answer["NextShardIterator"] = None

    of_a_closed_shard = amending(get_records, end)

    def read(asked: Members) -> KinesisAnswer:
        place = kinesis._shard_iterators.get(asked.get("ShardIterator"))  # noqa: SLF001
        is_closed = place is not None and END in shard_of(place)
        return (of_a_closed_shard if is_closed else get_records)(asked)

    return read


def shard_of(place: Members) -> Members:
    """The shard that an iterator points into; nothing once its stream is gone."""
    stream = kinesis._streams.get(place["stream"])  # noqa: SLF001
    shard: Members = stream["shards"].get(place["shard_id"], {}) if stream else {}
    return shard


def telling_its_end(describe: Callable[[str, Members], Members]) -> Callable[[str, Members], Members]:
    """The description of a shard, with the last sequence number of a closed one."""

    def described(shard_id: str, shard: Members) -> Members:
        told = describe(shard_id, shard)
        if END in shard:
            told["SequenceNumberRange"]["EndingSequenceNumber"] = shard[END]
        return told

    return described


def counting_open(describe: Operation) -> Operation:
    """The summary of a stream, which counts the closed shards, too."""

    def count(asked: Members, answer: Members) -> None:
        _, stream = kinesis._resolve_stream(asked)  # noqa: SLF001
        answer["StreamDescriptionSummary"]["OpenShardCount"] = len(opened(stream["shards"]))

    return amending(describe, count)


def following_the_template(stream: dict[str, Any]) -> dict[str, Any]:
    """CloudFormation's handler of streams, which leaves the shards as they are: their number is updated, too."""

    def update(physical_id: str, old: Members, new: Members, stack: str) -> Updated:
        updated: Updated = stream["update"](physical_id, old, new, stack)
        if updated[0] == physical_id and "ShardCount" in new:
            counted = {"StreamName": physical_id, "TargetShardCount": int(new["ShardCount"])}
            status, _, body = kinesis._update_shard_count(counted)  # noqa: SLF001
            if status != HTTPStatus.OK:
                raise ValueError(json.loads(body)["message"])
        return updated

    return stream | {"update": update}
