"""What a network's inner modules put out while it runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches

from torch import Tensor, nn


@contextmanager
def recording(model: nn.Module, *names: str) -> Iterator[dict[str, Tensor]]:
    """Inside, each pass through the model leaves the outputs of the named modules in the dict, in order of execution.

    The tensors are the network's own, so gradients can be taken of them; under `torch.no_grad()` they are plain
    numbers. The next module gets a copy, for it may overwrite what it is given, as ReLU does. A later pass, or a second
    use of a module, replaces the first. The hooks are gone afterwards, also after an error. Raises ValueError for a
    name the model does not have.
    """
    modules = dict(model.named_modules())
    for name in names:
        if name not in modules:
            raise ValueError(f'{type(model).__name__} has no module "{name}". {proposal(name, list(modules))}')
    outputs: dict[str, Tensor] = {}

    def note(name: str):
        def hook(module: nn.Module, inputs: tuple, output: Tensor) -> Tensor:  # what it returns replaces the output
            if any(output is tensor for tensor in inputs):  # the identity: what it gives on, not what it was given
                output = output.clone()
            outputs[name] = output
            return output.clone()

        return hook

    handles = [modules[name].register_forward_hook(note(name)) for name in names]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def proposal(name: str, names: list[str]) -> str:
    """Which names may have been meant."""
    near = [other for other in names if name in other][:3] or get_close_matches(name, names)
    return f"Near it: {', '.join(near)}." if near else "print(model) shows the names of its modules."
