"""Checkpoints: a nested state as JSON and safetensors, written atomically and verified when read.

A checkpoint of step N is the manifest `N.json`, which holds the tree with its numbers and strings and says where each
array is; equal states have equal manifests. Arrays lie in blobs named by the hash of their content: small ones
together, large ones in blocks. So a replay memory of gigabytes costs only the blocks that changed since the last
checkpoint, and a damaged blob cannot pass for a whole one. The last two checkpoints are kept. Nothing here can run
code when a stranger's checkpoint is read.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as parse_tensors
from safetensors.numpy import save as dump_tensors

FORMAT = 1
KEEP = 2  # checkpoints
BLOCK = 1 << 24  # bytes of a large array in one blob
SMALL = 1 << 20  # bytes up to which arrays share a blob
ARRAY = "__array__"  # marks an array in the tree


class CheckpointError(ValueError):
    """A checkpoint cannot be written or read; the sentence says what is left."""


def saved_steps(folder: Path) -> list[int]:
    """Returns the steps of the checkpoints in a folder, in order."""
    return sorted(int(path.stem) for path in folder.glob("*.json") if path.stem.isdigit())


def save(folder: Path, step: int, state: dict[str, Any]) -> None:
    """Writes a checkpoint and drops all but the last two.

    Raises:
        CheckpointError: the disk is full or not writable; what was there before is untouched.
    """
    before = saved_steps(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tree = _write_arrays(folder, state)
        body = json.dumps({"format": FORMAT, "step": step, "state": tree})
        _write(folder / f"{step:012d}.json", json.dumps({"digest": _digest(body.encode()), "body": body}).encode())
    except OSError as error:
        with contextlib.suppress(OSError):
            _collect_garbage(folder, before)
        left = f"the one of step {before[-1]} is intact" if before else "there was none before"
        raise CheckpointError(
            f"the checkpoint of step {step} could not be written to {folder} ({error.strerror}); {left}: "
            "make room and resume"
        ) from error
    _collect_garbage(folder, [*[s for s in before if s < step][-(KEEP - 1) :], step])


def discard_after(folder: Path, step: int) -> None:
    """Drops the checkpoints of later steps, so that going on from this one writes them anew."""
    _collect_garbage(folder, [s for s in saved_steps(folder) if s <= step])


def load(folder: Path, step: int | None = None, leave_out: Collection[str] = ()) -> tuple[int, dict[str, Any]]:
    """Reads the checkpoint of a step, the last one by default, without the top-level keys in `leave_out`.

    Raises:
        CheckpointError: there is none, or it is truncated or was changed; another one that is there is named.
    """
    steps = saved_steps(folder)
    if not steps:
        raise CheckpointError(f"{folder} holds no checkpoint yet")
    chosen = steps[-1] if step is None else step
    if chosen not in steps:
        raise CheckpointError(f"{folder} holds no checkpoint of step {chosen}; it has {', '.join(map(str, steps))}")
    try:
        state = _manifest(folder, chosen)["state"]
        state["tree"] = {key: value for key, value in state["tree"].items() if key not in leave_out}
        return chosen, _read_arrays(folder, state)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        others = [s for s in steps if s != chosen]
        way_out = f"add --from-step {others[-1]} to use the one before" if others else "there is no other one"
        raise CheckpointError(f"the checkpoint of step {chosen} in {folder} is damaged ({error}); {way_out}") from error


def _manifest(folder: Path, step: int) -> dict[str, Any]:
    outer = json.loads((folder / f"{step:012d}.json").read_bytes())
    if _digest(outer["body"].encode()) != outer["digest"]:
        raise ValueError("its manifest was changed")
    body: dict[str, Any] = json.loads(outer["body"])
    if body["format"] != FORMAT:
        raise ValueError(f"its format is {body['format']}, but this version reads {FORMAT}")
    return body


def _write_arrays(folder: Path, state: dict[str, Any]) -> Any:
    """Writes a state's arrays as blobs and returns the tree that names them in their place."""
    small: dict[str, NDArray[Any]] = {}

    def visit(node: Any, path: str) -> Any:
        if isinstance(node, dict):
            if not all(isinstance(key, str) for key in node):
                raise TypeError(f"the keys of {path or 'the state'} must be strings")
            return {key: visit(value, f"{path}/{key}") for key, value in sorted(node.items())}
        if isinstance(node, list | tuple):
            return [visit(value, f"{path}/{i}") for i, value in enumerate(node)]
        if hasattr(node, "detach"):
            node = node.detach().cpu().numpy()
        if isinstance(node, np.ndarray):
            leaf: dict[str, Any] = {"dtype": node.dtype.str, "shape": list(node.shape)}
            if node.nbytes > SMALL:
                return {ARRAY: {**leaf, "blobs": _write_blocks(folder, node)}}
            small[path] = np.ascontiguousarray(node)
            return {ARRAY: {**leaf, "key": path}}
        return node.item() if isinstance(node, np.generic) else node

    tree = visit(state, "")
    return {"tree": tree, "small": _write_blob(folder, dump_tensors(small))}


def _write_blocks(folder: Path, array: NDArray[Any]) -> list[str]:
    flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return [_write_blob(folder, dump_tensors({"block": flat[i : i + BLOCK]})) for i in range(0, len(flat), BLOCK)]


def _read_arrays(folder: Path, state: dict[str, Any]) -> dict[str, Any]:
    small = _read_blob(folder, state["small"])

    def visit(node: Any) -> Any:
        if isinstance(node, list):
            return [visit(value) for value in node]
        if not isinstance(node, dict):
            return node
        if ARRAY not in node:
            return {key: visit(value) for key, value in node.items()}
        leaf = node[ARRAY]
        if "key" in leaf:
            return small[leaf["key"]].reshape(leaf["shape"])
        array = np.empty(leaf["shape"], np.dtype(leaf["dtype"]))
        flat = array.reshape(-1).view(np.uint8)
        for i, name in enumerate(leaf["blobs"]):
            flat[i * BLOCK : (i + 1) * BLOCK] = _read_blob(folder, name)["block"]
        return array

    tree: dict[str, Any] = visit(state["tree"])
    return tree


def _blobs(node: Any) -> Iterator[str]:
    """Names the blobs that a manifest's tree refers to."""
    if isinstance(node, dict):
        if ARRAY in node:
            yield from node[ARRAY].get("blobs", [])
        else:
            for value in node.values():
                yield from _blobs(value)
    elif isinstance(node, list):
        for value in node:
            yield from _blobs(value)


def _collect_garbage(folder: Path, keep: list[int]) -> None:
    """Drops the manifests of other steps, unfinished files and the blobs that nobody refers to."""
    names = {f"{step:012d}.json" for step in keep}
    for step in keep:
        with contextlib.suppress(ValueError, KeyError, TypeError):  # a damaged manifest keeps only itself
            state = _manifest(folder, step)["state"]
            names |= {f"{blob}.safetensors" for blob in [state["small"], *_blobs(state["tree"])]}
    for path in folder.iterdir():
        if path.name not in names:
            path.unlink()


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _write_blob(folder: Path, data: bytes) -> str:
    name = _digest(data)
    path = folder / f"{name}.safetensors"
    if not path.exists() or path.stat().st_size != len(data):
        _write(path, data)
    return name


def _read_blob(folder: Path, name: str) -> dict[str, NDArray[Any]]:
    data = (folder / f"{name}.safetensors").read_bytes()
    if _digest(data) != name:
        raise ValueError(f"{name}.safetensors was changed or cut short")
    tensors: dict[str, NDArray[Any]] = parse_tensors(data)
    return tensors


def _write(path: Path, data: bytes) -> None:
    """Writes a file so that it is either whole or absent."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    with unfinished.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
