"""Where a training run stands beside the published row that its configuration names. Imports no paddle."""

from typing import Optional

from paddle_pose import references
from paddle_pose.cli.comparison import compared, headline, warnings
from paddle_pose.config import Config
from paddle_pose.config_sections import Reference
from paddle_pose.references.rules import Circumstances, differences, holds, incomparable
from paddle_pose.samples import Report


class Standing:
    """Beside the curve that the row names, if it is of the same network, input and people; else beside the row.

    Args:
        config: of the run.
        here: how the run is validated.
    """

    def __init__(self, config: Config, here: Circumstances) -> None:
        self._name, self._config, self._here = config.reference, config, here
        self._row = references.find(self._name) if isinstance(self._name, str) else self._name
        self._curve_name = self._usable_curve()
        self._curve = None if self._curve_name is None else references.curves()[self._curve_name]

    def introduction(self) -> list[str]:
        """What the run will be compared with, and by which other rules that was measured."""
        if self._row is None:
            return []
        published = ", ".join(f"{name} {value:.3f}" for name, value in self._row.values.items())
        if isinstance(self._row, Reference):
            return [f"compared with: {self._row.source}: {published}"]
        lines = [f"{headline('compared with', self._name, self._row)}: {published}", *self._rules(self._row)]
        if self._curve_name in (None, self._name):
            return lines
        beside = references.find(self._curve_name)
        return [*lines, headline("epoch by epoch beside", self._curve_name, beside), *self._rules(beside)]

    def line(self, epoch: int, report: Report, training_loss: Optional[float] = None) -> Optional[str]:
        """Where the run stands after an epoch, counted from 1; None if it is compared with nothing."""
        if self._curve is not None:
            last = len(self._curve)
            ended = f", whose last epoch is {last}" if epoch > last else ""
            parts = self._beside_curve(min(epoch, last), report, training_loss)
            return f"epoch {epoch} beside {self._curve_name}{ended}: {'; '.join(parts)}"
        if self._row is None or (isinstance(self._name, str) and incomparable(self._row, self._here)):
            return None
        parts = [
            f"{value.name} {value.here:.2f}, published {value.published:.2f} ({value.here - value.published:+.2f})"
            for value in compared(self._row, report)
            if value.here is not None
        ]
        name = self._name if isinstance(self._name, str) else self._row.source
        whose = f" ({report.condition})" if report.condition else ""
        return f"epoch {epoch}{whose} beside the end of {name}: {'; '.join(parts)}" if parts else None

    def _usable_curve(self) -> Optional[str]:
        name = getattr(self._row, "curve_of", None)
        if name is None:
            return None
        row, here = references.find(name), self._here
        same = (row.dataset, row.metric, row.people, row.input_wh) == (
            here.dataset,
            here.metric,
            here.people,
            here.input_wh,
        )
        return name if same and holds(row.ours, here.network) else None

    def _rules(self, row: references.Row) -> list[str]:
        why = incomparable(row, self._here)
        return warnings([f"not comparable: {why}"] if why else differences(row, self._here), row)

    def _beside_curve(self, epoch: int, report: Report, training_loss: Optional[float]) -> list[str]:
        parts = []
        for name, series in self._curve.values.items():
            theirs, ours = series[epoch - 1], report.values[name]
            parts.append(f"{name} {ours:.2f}, there {theirs:.2f} ({ours - theirs:+.2f})")
        if training_loss is not None and self._curve.loss and self._same_loss():
            parts.append(f"training loss {training_loss:.6f}, there {self._curve.loss[epoch - 1]:.6f}")
        return parts

    def _same_loss(self) -> bool:
        sections = {"loss": self._config.loss, "codec": self._config.codec}
        return all(holds(self._curve.loss_of[name], section.model_dump()) for name, section in sections.items())
