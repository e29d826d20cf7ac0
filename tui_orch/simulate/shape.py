"""What an imagined tree is like: children and seconds of work at each level, chances that are the same in every order. Pure."""

from dataclasses import dataclass, replace

from store.states import Kind

_WORD = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True)
class Level:
    """Every job of one depth: it works, hands in its children, and where it is resumed works again."""

    children: int = 0
    before_s: float = 0.0  # of work before its children are handed in; all of it where it has none
    after_s: float = 0.0  # once they have ended (kind claude: only that is resumed)
    kind: Kind = Kind.CLAUDE


@dataclass(frozen=True, slots=True)
class Shape:
    """A tree. The jobs of its last level have no children, whatever that says.

    ``failing``: share of attempts that fail at their end. ``spread``: a turn takes up to this share less or more.
    """

    levels: tuple[Level, ...]
    failing: float = 0.0
    spread: float = 0.0

    @property
    def jobs(self) -> int:
        """Return how many there are where no limit refuses any."""
        total, of_level = 0, 1
        for level in self.levels:
            total += of_level
            of_level *= level.children
        return total

    @property
    def widest(self) -> int:
        """Return how many jobs the fullest level has."""
        widths = [1]
        for level in self.levels[:-1]:
            widths.append(widths[-1] * level.children)
        return max(widths)

    def children(self, depth: int) -> int:
        """Return how many children a job of this depth hands in."""
        return self.levels[depth].children if depth + 1 < len(self.levels) else 0

    def whole_s(self, depth: int) -> float:
        """Return the seconds of work of a job of this depth and of all below it."""
        return self.levels[depth].before_s + (self.rest_s(depth) if self.children(depth) else 0.0)

    def rest_s(self, depth: int) -> float:
        """Return the seconds that a job of this depth has left to do where its children are refused: it does their work."""
        level = self.levels[depth]
        after_s = level.after_s if level.kind is Kind.CLAUDE else 0.0
        return after_s + self.children(depth) * self.whole_s(depth + 1)

    def cut(self, depth: int) -> "Shape":
        """Return the tree whose jobs of this depth do the work of all below themselves."""
        if depth + 1 >= len(self.levels):
            return self
        last = replace(self.levels[depth], children=0, before_s=self.whole_s(depth), after_s=0.0)
        if last.kind is Kind.GROUP:  # a group does nothing itself; a tree without levels is one worker
            last = replace(last, kind=Kind.CLAUDE)
        return replace(self, levels=(*self.levels[:depth], last))


def salted(salt: int, place: int) -> int:
    """Return the salt of a job's child or attempt: the same wherever, and whenever, it runs."""
    mixed = (salt + (place + 1) * _STEP) & _WORD
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _WORD
    return mixed ^ (mixed >> 31)


def chance(salt: int) -> float:
    """Return a number from 0 up to, not including, 1."""
    return (salted(salt, 0) >> 11) / (1 << 53)
