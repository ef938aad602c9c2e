"""Golden files of tests/core/store/tst_event_file.cpp and tst_run_import.cpp: TensorBoard event files written by tensorboard, and
completions as TRL 1.16 logs them (pandas and pyarrow).

    pip install tensorboard pandas pyarrow
    python tests/golden/make_events.py        (writes tests/golden/events/)
"""
import pathlib
import shutil

import numpy as np
import pandas as pd
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.types_pb2 import DT_DOUBLE, DT_FLOAT
from tensorboard.summary.writer.record_writer import RecordWriter

OUT = pathlib.Path(__file__).parent / "events"


def scalars_metadata():
    return SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="scalars"))


def tensor_value(tag, tensor, plugin=True):
    return Summary.Value(tag=tag, tensor=tensor, metadata=scalars_metadata() if plugin else None)


def write(name, events):
    path = OUT / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        writer = RecordWriter(file)
        writer.write(Event(wall_time=1700000000.0, file_version="brain.Event:2").SerializeToString())
        for event in events:
            writer.write(event.SerializeToString())
        writer.flush()


def event(step, *values):
    return Event(wall_time=1700000000.0 + step, step=step, summary=Summary(value=values))


def event_files():
    simple = [event(step, Summary.Value(tag="train/loss", simple_value=2.0 / step),
                    Summary.Value(tag="eval/loss", simple_value=1.0 / step)) for step in (1, 2, 3)]
    tensors = [
        event(4, tensor_value("train/loss", TensorProto(dtype=DT_FLOAT, float_val=[0.5]))),
        event(5, tensor_value("train/loss", TensorProto(dtype=DT_FLOAT, tensor_content=np.float32(0.25).tobytes()))),
        event(6, tensor_value("train/reward", TensorProto(dtype=DT_DOUBLE, double_val=[-1.5]))),
        event(7, tensor_value("train/reward", TensorProto(dtype=DT_DOUBLE, tensor_content=np.float64(2.25).tobytes()))),
        event(8, tensor_value("no plugin", TensorProto(dtype=DT_FLOAT, float_val=[9.0]), plugin=False)),
        event(9, Summary.Value(tag="picture", image=Summary.Image(height=1, width=1, encoded_image_string=b"x"))),
        event(10, Summary.Value(tag="train/loss", simple_value=float("nan"))),
    ]
    write("run/events.out.tfevents.1700000000.host.1.0", simple + tensors)
    write("runs/a/events.out.tfevents.1700000000.host.1.0", simple)
    write("runs/b/events.out.tfevents.1700000000.host.1.0", simple[:1])
    write("runs/b/events.out.tfevents.1700000009.host.1.1", simple[1:])


def completions():
    """As GRPOTrainer._log does: one file a step, two prompts with two completions each."""
    folder = OUT / "trl" / "completions"
    folder.mkdir(parents=True, exist_ok=True)
    for step in (1, 10):
        pd.DataFrame({
            "step": [step] * 4,
            "prompt": ["2+2=", "2+2=", "3+3=", "3+3="],
            "completion": [" 4", " 5", f" {step}", " 6"],
            "accuracy": [1.0, 0.0, float("nan"), 1.0],
            "length": [0.1, 0.1, 0.2, 0.1],
            "advantage": [1.0, -1.0, -1.0, 1.0],
        }).to_parquet(folder / f"completions_{step:05d}.parquet")
    chat = OUT / "trl-chat" / "completions"
    chat.mkdir(parents=True, exist_ok=True)
    pd.DataFrame({
        "step": ["5"],
        "prompt": [[{"role": "system", "content": "S"}, {"role": "user", "content": "Hi"}]],
        "completion": [[{"role": "assistant", "content": "Hello"}]],
        "reward_model": [0.75], "advantage": [0.0],
    }).to_parquet(chat / "completions_00005.parquet")


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    event_files()
    completions()
