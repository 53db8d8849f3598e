"""How strongly the loss pulls at each layer."""

import copy

import torch
from torch import Tensor, nn

from cnnlib.analysis.recording import recording
from cnnlib.errors import explaining
from cnnlib.training import Loss, cross_entropy


def gradient_norms(
    model: nn.Module, images: Tensor, labels: Tensor, loss: Loss = cross_entropy
) -> list[tuple[str, float]]:
    """Euclidean norm of the loss's gradient by each layer's weights for one batch, in order of execution.

    Layers are convolutions and linear layers with weights that learn. Taken in training mode on a copy of the model,
    which itself stays as it is: gradients, batch-norm statistics, mode. Raises ValueError when none learns.
    """
    model = copy.deepcopy(model).train()
    layers = {
        name: module.weight
        for name, module in model.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear) and module.weight.requires_grad
    }
    if not layers:
        raise ValueError("No convolution or linear layer of this network learns: set requires_grad on their weights.")
    with torch.enable_grad(), explaining(model, images, labels), recording(model, *layers) as outputs:
        mean_loss, _ = loss(model, images, labels)
    gradients = torch.autograd.grad(mean_loss, [layers[name] for name in outputs], materialize_grads=True)
    return [(name, float(gradient.norm())) for name, gradient in zip(outputs, gradients)]
