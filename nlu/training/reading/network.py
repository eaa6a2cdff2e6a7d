"""The network of the reader: characters with their neighbours and known words, read forwards and backwards."""

import torch
from torch import Tensor, nn

from nlu.reader_input import BIGRAMS, HEATS, SENTENCE, TRIGRAMS, WORD_KINDS

TAGS = 3
"""Outside, beginning and inside of a mention."""

REACHES = (1, 2, 4, 8)
"""How far apart the neighbours are that each block looks at: 15 characters to either side together."""

_IMPOSSIBLE = -1e4


class LockedDropout(nn.Module):
    """Dropout of the same units at every place of a sentence (Gal and Ghahramani 2016)."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, hidden: Tensor) -> Tensor:
        """``hidden`` with a share of its units silent, in training."""
        if not self.training:
            return hidden
        kept = torch.rand(hidden.shape[0], 1, hidden.shape[2]) >= self.share
        return hidden * kept / (1 - self.share)


class Block(nn.Module):
    """A dilated convolution beside a shortcut (Strubell et al. 2017)."""

    def __init__(self, width: int, reach: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.reach = reach
        self.mix = nn.Linear(3 * width, width)
        self.dropout = LockedDropout(dropout)

    def forward(self, hidden: Tensor, there: Tensor) -> Tensor:
        """``hidden`` with what its neighbours at distance ``reach`` add; nothing comes from where ``there`` is 0."""
        seen = torch.relu(self.norm(hidden)) * there
        seen = self.dropout(seen)
        padded = nn.functional.pad(seen, (0, 0, self.reach, self.reach))
        sides = [padded[:, : seen.shape[1]], seen, padded[:, 2 * self.reach :]]
        return hidden + self.mix(torch.cat(sides, dim=2))


class ReaderNetwork(nn.Module):
    """From the arrays of ``nlu.reader_input`` to scores for tag, name and status at each place."""

    def __init__(self, characters: int, labels: int, terms: int, width: int = 192, dropout: float = 0.4) -> None:
        super().__init__()
        self.character = nn.Embedding(characters, 96, padding_idx=0)
        self.bigram = nn.Embedding(BIGRAMS, 32, padding_idx=0)
        self.trigram = nn.Embedding(TRIGRAMS, 16, padding_idx=0)
        self.speaker = nn.Embedding(4, 8)
        self.word = nn.Embedding(WORD_KINDS, 16)
        self.word_label = nn.Embedding(labels + 1, 24)
        self.term = nn.Embedding(terms + 1, 24)
        self.heat = nn.Embedding(HEATS, 8)
        for table in (self.character, self.bigram, self.trigram):
            nn.init.normal_(table.weight, std=0.1)
            nn.init.zeros_(table.weight[0])
        self.projection = nn.Linear(96 + 2 * 32 + 16 + 8 + 16 + 24 + 24 + 8, width)
        self.blocks = nn.ModuleList(Block(width, reach, dropout / 2) for reach in REACHES)
        self.norm = nn.LayerNorm(width)
        self.summary = nn.Linear(2 * width, width)
        self.dropout = LockedDropout(dropout)
        self.tag = nn.Linear(width, TAGS)
        self.name = nn.Linear(width, labels)
        self.status = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, 3))
        self.transitions = nn.Parameter(torch.zeros(TAGS, TAGS))

    def forward(
        self,
        characters: Tensor,
        bigrams: Tensor,
        trigrams: Tensor,
        speakers: Tensor,
        words: Tensor,
        word_labels: Tensor,
        terms: Tensor,
        heat: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Scores of shape (batch, places, ·) for the tags, the names and the statuses."""
        following = self.bigram(self._forget(bigrams, 0.15))
        preceding = torch.cat([torch.zeros_like(following[:, :1]), following[:, :-1]], dim=1)
        seen = [
            self.character(self._forget(characters, 0.03)),
            following,
            preceding,
            self.trigram(self._forget(trigrams, 0.3)),
            self.speaker(speakers),
            self.word(words),
            self.word_label(word_labels),
            self.term(terms),
            self.heat(heat),
        ]
        hidden = self.dropout(torch.cat(seen, dim=-1))
        hidden = self.projection(hidden)
        there = (speakers > 0).unsqueeze(2).to(hidden.dtype)
        for block in self.blocks:
            hidden = block(hidden, there)
        hidden = torch.relu(self.norm(hidden))
        own = (speakers == SENTENCE).unsqueeze(2).to(hidden.dtype)
        ends = [(hidden * share).max(dim=1, keepdim=True).values for share in (own, there - own)]
        summary = self.summary(torch.cat(ends, dim=2)).expand(-1, hidden.shape[1], -1)
        hidden, summary = self.dropout(hidden), self.dropout(summary)
        return self.tag(hidden), self.name(hidden), self.status(torch.cat([hidden, summary], dim=2))

    def _forget(self, rows: Tensor, share: float) -> Tensor:
        """In training some of the rows as if never seen, so that rare ones are not relied on."""
        if not self.training:
            return rows
        return rows * (torch.rand(rows.shape) >= share)

    def allowed_transitions(self) -> Tensor:
        """Scores of going from one tag to the next; inside never follows outside."""
        barred = torch.zeros(TAGS, TAGS)
        barred[0, 2] = _IMPOSSIBLE
        return self.transitions + barred

    def tag_loss(self, scores: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        """Negative log-likelihood of a linear-chain conditional random field, a sentence each (Lafferty et al. 2001).

        Places whose tag is negative were not looked at: every tag is right there.
        """
        allowed = torch.zeros_like(scores)
        looked_at = tags >= 0
        wrong = torch.ones_like(scores).scatter(2, tags.clamp(min=0).unsqueeze(2), 0.0)
        allowed = allowed + wrong * looked_at.unsqueeze(2) * _IMPOSSIBLE
        return self._log_sum(scores, mask) - self._log_sum(scores + allowed, mask)

    def _log_sum(self, scores: Tensor, mask: Tensor) -> Tensor:
        """The log of the summed scores of every sequence of tags."""
        transitions = self.allowed_transitions()
        start = torch.tensor([0.0, 0.0, _IMPOSSIBLE])
        alpha = scores[:, 0] + start
        for place in range(1, scores.shape[1]):
            following = torch.logsumexp(alpha.unsqueeze(2) + transitions, dim=1) + scores[:, place]
            alpha = torch.where(mask[:, place].unsqueeze(1), following, alpha)
        return torch.logsumexp(alpha, dim=1)


class Ensemble(nn.Module):
    """Several networks that were trained alike but for chance; what they say is averaged."""

    def __init__(self, members: list[ReaderNetwork]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, *arrays: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The mean scores of the tags, and the mean logarithms of the shares of names and statuses."""
        tags, names, statuses = zip(*(member(*arrays) for member in self.members), strict=True)
        return (
            torch.stack(tags).mean(dim=0),
            torch.stack([one.log_softmax(dim=2) for one in names]).mean(dim=0),
            torch.stack([one.log_softmax(dim=2) for one in statuses]).mean(dim=0),
        )

    def allowed_transitions(self) -> Tensor:
        """The mean scores of going from one tag to the next."""
        return torch.stack([member.allowed_transitions() for member in self.members]).mean(dim=0)
