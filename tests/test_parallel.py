import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Generator

from cnnlib import parallel, records
from cnnlib.data import Batches, Normalize, random_crop, random_flip
from cnnlib.datasets import digits
from cnnlib.models import cnn
from cnnlib.training import Recipe, train

ROOT = Path(__file__).parent.parent
STEPS = 20


def test_alone_everything_is_as_it_was():
    model, batches = cnn(), [(torch.zeros(4, 1, 28, 28), torch.zeros(4, dtype=torch.int64))]
    with parallel.group():
        assert parallel.share(batches) is batches
        assert parallel.together(model, lambda *given: given)(1, 2) == (model, 1, 2)
        assert parallel.place() == (0, 1) and parallel.first() and parallel.agreed("a") == "a"
        assert parallel.sums([1.0, 2], torch.device("cpu")) == [1.0, 2]


def losses() -> list[float]:
    """The mean loss of each of 20 steps: as many epochs of one batch of 64 images, mirrored and shifted at random."""
    torch.manual_seed(0)
    part = digits()[0][:64]
    batches = Batches(part, 64, [random_flip, random_crop, Normalize(part)], Generator().manual_seed(0))
    recipe = Recipe(epochs=STEPS, learning_rate=0.2, batch_size=64)
    return [epoch.train.loss for epoch in train(cnn(), batches, recipe)]


def torchrun(processes: int, *command: str) -> subprocess.CompletedProcess:
    """`torchrun` with one thread a process, on this machine alone."""
    starter = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CNNLIB_DEVICE": "cpu", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run([*starter, *command], capture_output=True, text=True, cwd=ROOT, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.slow
def test_two_processes_lose_what_one_does_with_the_whole_batch(tmp_path):
    script = tmp_path / "two.py"
    script.write_text(
        "import sys; sys.path.insert(0, '.')\n"
        "from pathlib import Path\n"
        "from cnnlib import parallel\n"
        "from tests.test_parallel import losses\n"
        "with parallel.group():\n"
        "    found = losses()\n"
        "    Path(sys.argv[1], f'{parallel.place()[0]}').write_text(repr(found))\n",
        encoding="utf-8",
    )
    torchrun(2, str(script), str(tmp_path))
    alone = torch.tensor(losses())
    for rank in ("0", "1"):
        shared = torch.tensor(eval((tmp_path / rank).read_text()))
        assert len(shared) == STEPS and (shared - alone).abs().max() < 1e-5
    assert alone[-1] < alone[0] - 0.3, "nothing was learned: equal losses say nothing"


def drawn(rank: int, monkeypatch, drawing: bool = True) -> tuple[list, list]:
    """What one of two processes draws for its batches, and, between them, inside its net."""
    monkeypatch.setattr(parallel, "place", lambda: (rank, 2))
    part = digits()[0][:64]
    torch.manual_seed(0)
    transforms = [lambda pixels: torch.rand(len(pixels), 1)] if drawing else []
    batches = Batches(part, 16, transforms, Generator().manual_seed(0))
    outside, inside = [], []
    for _ in range(2):
        for images, _ in parallel.Share(batches):
            outside.append(images.flatten().tolist())
            inside.append(torch.rand(3).tolist())
    return outside, inside


def test_each_process_draws_noise_of_its_own_inside_a_net_and_the_batches_stay_common(monkeypatch):
    (ours, noise), (theirs, other), again = (drawn(rank, monkeypatch) for rank in (0, 1, 0))
    assert again == (ours, noise)
    torch.manual_seed(0)
    for one, two in zip(ours, theirs, strict=True):
        whole = torch.rand(16)
        assert one == whole[::2].tolist() and two == whole[1::2].tolist()
    assert all(a != b for a, b in zip(noise, other, strict=True))
    for found in (noise, drawn(0, monkeypatch, drawing=False)[1]):
        assert len({tuple(row) for row in found}) == 8, "each pass and each batch has its own"


def test_the_order_of_a_share_is_that_of_its_batches():
    generator = Generator()
    part = digits()[0][:4]
    assert parallel.Share(Batches(part, 2, [], generator)).generator is generator
    assert parallel.Share([]).generator is None


@pytest.mark.slow
def test_a_loss_that_reads_parts_of_the_net_runs_under_torchrun(tmp_path):
    command = ["-m", "cnnlib", "run", "aux-heads", "--arms", "norm-heads", "--seeds", "1", "--epochs", "1"]
    torchrun(2, *command, "--folder", str(tmp_path))
    assert (tmp_path / "aux-heads-1-epochs" / "norm-heads-0.json").exists()


@pytest.mark.slow
def test_the_command_records_each_run_once_under_torchrun(tmp_path):
    command = ["-m", "cnnlib", "run", "pixel-shuffle", "--arms", "mlp-none", "--seeds", "2", "--epochs", "1"]
    two, one = tmp_path / "two", tmp_path / "one"
    done = torchrun(2, *command, "--folder", str(two))
    assert done.stdout.count("2 runs in") == 1 and "2 new" in done.stdout
    subprocess.run([sys.executable, *command, "--folder", str(one)], check=True, capture_output=True, cwd=ROOT)
    pairs = [
        [records.read(folder / "pixel-shuffle-1-epochs" / f"mlp-none-{seed}.json") for folder in (two, one)]
        for seed in (0, 1)
    ]
    for shared, alone in pairs:
        assert shared.epochs[0]["loss"] == pytest.approx(alone.epochs[0]["loss"], abs=1e-4)
        assert abs(shared.accuracy - alone.accuracy) < 0.005
    assert not list(two.glob("*/.*"))


def test_images_that_do_not_go_round_are_left_out(monkeypatch):
    monkeypatch.setattr(parallel, "place", lambda: (1, 2))
    batch = (torch.arange(5), torch.arange(5))
    ((images, labels),) = parallel.Share([batch, (torch.arange(1), torch.arange(1))])
    assert images.tolist() == labels.tolist() == [1, 3]
