"""Golden files of tests/core/data, made by pyarrow 26.0.1: small files in every codec and nesting, beside each its rows as pyarrow
reads them; the four data sets of the paper as the hub lays them out; and files that claim far more than they hold.

    python tests/golden/make_parquet.py        (writes tests/golden/parquet/)
"""
import datetime
import decimal
import json
import pathlib
import shutil

import pyarrow as pa
import pyarrow.parquet as pq

out = pathlib.Path(__file__).resolve().parent / "parquet"

turn = pa.struct([("content", pa.string()), ("role", pa.string())])
turns = pa.list_(turn)


def talk(*texts):
    return [{"content": text, "role": "assistant" if i % 2 else "user"} for i, text in enumerate(texts)]


def plain(value):
    """A value as JSON, in the way that Tempera shows what JSON has no word for."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def write(name, table, rows=None, **options):
    path = out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, **options)
    if path.parent != out:  # a data set of the hub: its folder holds nothing else
        return
    rows = rows if rows is not None else pq.read_table(path).to_pylist()
    with open(path.with_suffix(".expected.jsonl"), "w", encoding="utf-8") as lines:
        for row in rows:
            lines.write(json.dumps(plain(row), ensure_ascii=False) + "\n")


def codecs():
    table = pa.table({
        "messages": pa.array([talk("Hello", "Good day, 🦉."), talk("2+2?", "4", "And 3+3?", "6"), [], None, talk("é" * 40, "ok")], turns),
        "source": pa.array(["a", "b", "a", None, "b"]),
    })
    for codec in ("none", "snappy", "zstd", "gzip", "lz4", "brotli"):
        write(f"codec-{codec}.parquet", table, compression=codec, row_group_size=2)
    write("page-v2.parquet", table, data_page_version="2.0", use_dictionary=False, compression="zstd")
    write("delta.parquet", pa.table({"text": [f"row number {i}" for i in range(300)], "n": list(range(0, 900, 3))}),
          use_dictionary=False, column_encoding={"text": "DELTA_BYTE_ARRAY", "n": "DELTA_BINARY_PACKED"})


def hub():
    """The shapes of the four data sets of the paper, one folder each as the hub lays them out."""
    write("smol-smoltalk/data/train-00000-of-00002.parquet", pa.table({
        "messages": pa.array([talk("Hi", "Hello!"), talk("Write a haiku.", "Snow falls")], turns),
        "source": ["smol-magpie-ultra-short", "self-oss-instruct"]}))
    write("smol-smoltalk/data/train-00001-of-00002.parquet", pa.table({
        "messages": pa.array([talk("Third", "3")], turns), "source": ["self-oss-instruct"]}))
    write("smol-smoltalk/data/test-00000-of-00001.parquet", pa.table({
        "messages": pa.array([talk("Test?", "Yes")], turns), "source": ["self-oss-instruct"]}))
    pairs = pa.table({
        "prompt": ["What is 2+2?", "Name a bird."],
        "prompt_id": ["a1", "b2"],
        "chosen": pa.array([talk("What is 2+2?", "4"), talk("Name a bird.", "An owl.")], turns),
        "rejected": pa.array([talk("What is 2+2?", "5"), talk("Name a bird.", "A fish.")], turns),
        "messages": pa.array([talk("What is 2+2?", "4"), talk("Name a bird.", "An owl.")], turns),
        "score_chosen": [9.0, 8.5], "score_rejected": [2.0, 1.0]})
    for split in ("train_prefs", "test_prefs", "train_sft", "train_gen"):
        write(f"ultrafeedback_binarized/data/{split}-00000-of-00001.parquet", pairs)
    write("cog_behav_all_strategies/data/train-00000-of-00001.parquet", pa.table({
        "query": ["Using the numbers [1, 2], create an equation that equals 3."], "completion": ["<think>1+2</think><answer>1 + 2</answer>"]}))
    write("Countdown-Tasks-3to4/data/train-00000-of-00001.parquet", pa.table({
        "target": pa.array([98, 64], pa.int64()), "nums": pa.array([[44, 19, 35], [63, 95, 96]], pa.list_(pa.int64()))}))


def types():
    when = datetime.datetime(2024, 7, 26, 12, 30, 15)
    table = pa.table({
        "bool": pa.array([True, None, False]),
        "i8": pa.array([-1, None, 127], pa.int8()),
        "u64": pa.array([0, None, 2**64 - 1], pa.uint64()),
        "f16": pa.array([0.5, None, -2.0], pa.float16()),
        "f32": pa.array([0.25, None, 1e10], pa.float32()),
        "f64": pa.array([0.1, None, -1e-300]),
        "large": pa.array(["x", None, ""], pa.large_string()),
        "category": pa.array(["red", None, "red"]).dictionary_encode(),
        "bytes": pa.array([b"abc", None, b""]),
        "fixed": pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int32(), 2)),
        "nested": pa.array([[[1], [], None], None, [[2, 3]]], pa.list_(pa.list_(pa.int64()))),
        "map": pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int64())),
        "record": pa.array([{"a": {"b": [1.5]}}, None, {"a": {"b": None}}], pa.struct([("a", pa.struct([("b", pa.list_(pa.float64()))]))])),
        "time": pa.array([when, None, when], pa.timestamp("us")),
        "date": pa.array([when.date(), None, when.date()], pa.date32()),
        "decimal": pa.array([decimal.Decimal("1.50"), None, decimal.Decimal("-0.01")], pa.decimal128(5, 2)),
        "nothing": pa.nulls(3),
    })
    rows = table.to_pylist()
    for row in rows:
        if row["bool"] is None:
            continue
        row["bytes"] = row["bytes"].decode()
        row["map"] = [{"key": key, "value": value} for key, value in row["map"]]
        row["time"] = "2024-07-26 12:30:15.000000"
        row["date"] = "2024-07-26"
        row["decimal"] = str(row["decimal"])
    write("types.parquet", table, rows)
    write("not-utf8.parquet", pa.table({"text": pa.array([b"good", b"\xff\xfe", b"good"])}), [{"text": "good"}, {"text": {"bytes": 2}}, {"text": "good"}])
    image = b"\x89PNG"
    write("image.parquet", pa.table({"image": pa.array([image, image], pa.binary()), "prompt": ["p0", "p1"], "completion": ["c", "c"]}),
          [{"image": {"bytes": 4}, "prompt": f"p{i}", "completion": "c"} for i in range(2)])


def bombs():
    """What a few bytes can claim: a dictionary's text in every row, and a list of a million nulls."""
    big = "x" * (1 << 20)
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 20000, pa.int32()), pa.array([big]))
    pq.write_table(pa.table({"text": text}), out / "bomb-dictionary.parquet", compression="zstd",
                   row_group_size=20000)
    pq.write_table(pa.table({"list": pa.array([[None] * 3000000], pa.list_(pa.int64()))}), out / "bomb-list.parquet", compression="zstd")


if __name__ == "__main__":
    shutil.rmtree(out, ignore_errors=True)
    codecs()
    hub()
    types()
    bombs()
