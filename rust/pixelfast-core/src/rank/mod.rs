//! Average ranks over n, as `scipy.stats.rankdata(values) / n`, without sorting.
//!
//! A rank depends only on how many values are smaller and how many are equal. Values are dealt into groups by the
//! leading bits of their keys, each group small enough for the cache; within a group counting gives the ranks; then
//! the dealing is replayed, and every value picks up its rank where it was put. All passes over memory are sequential,
//! and no index travels with a value. Twice the average rank is an integer, so the result is exact in any order of
//! work.

mod bucket;

use rayon::prelude::*;

use crate::real::{DEALT, Key, Keyed, Real, Span, total};
use crate::{Cancel, Error, Result};
use bucket::Scratch;

/// Values that one task ranks at once without dealing them first.
const SMALL: usize = 1 << 14;
/// A group of more values than this that are not all equal is dealt again.
const LARGE: usize = 1 << 18;
/// Groups at most; more streams at once would be slower.
const GROUPS: usize = 512;
/// Values a group at least, about.
const GROUP: usize = 4096;

/// Writes average ranks / n, in (0, 1], to `out`.
///
/// # Errors
/// [`Error::Value`] with the index of the first value that is not finite; [`Error::Shape`] where `out` differs in
/// length; [`Error::Cancelled`].
pub fn rank<S: Real>(values: &[S], out: &mut [f64], cancel: &Cancel) -> Result<()> {
    if values.len() != out.len() {
        return Err(Error::Shape(format!("out must have {} values, not {}", values.len(), out.len())));
    }
    let Some(span) = Span::of("values", values, cancel)? else {
        return Ok(());
    };
    let doubled = 2.0 * values.len() as f64;
    let share = |rank: u64| rank as f64 / doubled;
    if u32::try_from(2 * values.len() as u64).is_ok() {
        ranks::<S, S::Key, _>(values, out, span, share, cancel)
    } else {
        // Doubled ranks would not fit beside 32-bit keys.
        ranks::<S, u64, _>(values, out, span, share, cancel)
    }
}

/// Writes `emit(twice the average rank)` of each source value to `sink`.
fn ranks<S: Keyed, K: Key, D: Send>(
    source: &[S],
    sink: &mut [D],
    span: Span,
    emit: impl Fn(u64) -> D + Copy + Sync,
    cancel: &Cancel,
) -> Result<()> {
    if span.is_point() {
        let rank = source.len() as u64 + 1;
        sink.par_iter_mut().for_each(|sink| *sink = emit(rank));
        return cancel.check();
    }
    if source.len() <= SMALL {
        let mut keys: Vec<K> = source.iter().map(|value| K::narrow(value.key())).collect();
        bucket::ranks(&mut keys, 0, &mut Scratch::default());
        sink.iter_mut().zip(keys).for_each(|(sink, rank)| *sink = emit(rank.key()));
        return cancel.check();
    }
    let deal = Deal::new(source, span, cancel)?;
    let mut groups = vec![0; source.len()];
    let mut dealt = vec![K::default(); source.len()];
    deal.put(source, &mut groups, &mut dealt, cancel)?;
    deal.rank_groups(&mut dealt, cancel)?;
    deal.hand_out(&groups, &dealt, sink, emit, cancel)
}

/// Where each value goes: blocks of the source keep their place, and within a block the groups follow each other.
struct Deal {
    span: Span,
    /// Group of each bin.
    group_of: Vec<u16>,
    /// Values of each group in each block.
    counts: Vec<Vec<u32>>,
}

impl Deal {
    fn new<S: Keyed>(source: &[S], span: Span, cancel: &Cancel) -> Result<Self> {
        let histograms = span.histograms(source, cancel)?;
        let group_of = group_bins(&total(&histograms), GROUP.max(source.len() / (GROUPS - GROUPS / 8)));
        let groups = group_of.last().map_or(0, |&last| usize::from(last) + 1);
        let counts = histograms.par_iter().map(|bins| count_groups(bins, &group_of, groups)).collect();
        Ok(Self { span, group_of, counts })
    }

    /// The first place of each group within its block.
    fn starts(counts: &[u32]) -> [u32; GROUPS] {
        let mut starts = [0; GROUPS];
        let mut next = 0;
        for (start, count) in starts.iter_mut().zip(counts) {
            *start = next;
            next += count;
        }
        starts
    }

    /// Deals the keys of each block into its groups, and notes which went where.
    fn put<S: Keyed, K: Key>(&self, source: &[S], groups: &mut [u16], dealt: &mut [K], cancel: &Cancel) -> Result<()> {
        let outputs = groups.par_chunks_mut(DEALT).zip(dealt.par_chunks_mut(DEALT));
        source.par_chunks(DEALT).zip(outputs).zip(&self.counts).try_for_each(|((source, (groups, dealt)), counts)| {
            let mut places = Self::starts(counts);
            for (value, group) in source.iter().zip(groups) {
                let key = value.key();
                *group = self.group_of[self.span.bin(key)];
                let place = &mut places[usize::from(*group)];
                dealt[*place as usize] = K::narrow(key);
                *place += 1;
            }
            cancel.check()
        })
    }

    /// Replaces each key by its doubled rank, group by group.
    fn rank_groups<K: Key>(&self, dealt: &mut [K], cancel: &Cancel) -> Result<()> {
        let groups = self.groups(dealt);
        groups.into_par_iter().try_for_each_init(Default::default, |(keys, scratch): &mut (Vec<K>, _), mut group| {
            keys.clear();
            group.runs.iter().for_each(|run| keys.extend_from_slice(run));
            rank_group(keys, group.below, scratch, cancel)?;
            let mut from = 0;
            for run in &mut group.runs {
                run.copy_from_slice(&keys[from..from + run.len()]);
                from += run.len();
            }
            cancel.check()
        })
    }

    /// Each group with its runs, one a block, and the number of values in the groups before it.
    fn groups<'a, K>(&self, dealt: &'a mut [K]) -> Vec<Group<'a, K>> {
        let mut groups: Vec<Group<'a, K>> =
            self.counts[0].iter().map(|_| Group { below: 0, runs: Vec::new() }).collect();
        for (mut block, counts) in dealt.chunks_mut(DEALT).zip(&self.counts) {
            for (group, &count) in groups.iter_mut().zip(counts) {
                let (run, rest) = block.split_at_mut(count as usize);
                group.runs.push(run);
                block = rest;
            }
        }
        let mut below = 0;
        for group in &mut groups {
            group.below = below;
            below += group.runs.iter().map(|run| run.len() as u64).sum::<u64>();
        }
        groups
    }

    /// Deals once more, picking up instead of putting down.
    fn hand_out<K: Key, D: Send>(
        &self,
        groups: &[u16],
        dealt: &[K],
        sink: &mut [D],
        emit: impl Fn(u64) -> D + Copy + Sync,
        cancel: &Cancel,
    ) -> Result<()> {
        let blocks = groups.par_chunks(DEALT).zip(dealt.par_chunks(DEALT)).zip(sink.par_chunks_mut(DEALT));
        blocks.zip(&self.counts).try_for_each(|(((groups, dealt), sink), counts)| {
            let mut places = Self::starts(counts);
            for (&group, sink) in groups.iter().zip(sink) {
                let place = &mut places[usize::from(group)];
                *sink = emit(dealt[*place as usize].key());
                *place += 1;
            }
            cancel.check()
        })
    }
}

/// Neighbouring keys, dealt.
struct Group<'a, K> {
    below: u64,
    runs: Vec<&'a mut [K]>,
}

/// Ranks the keys of a group, dealing them again where they are too many for the cache.
fn rank_group<K: Key>(keys: &mut [K], below: u64, scratch: &mut Scratch<K>, cancel: &Cancel) -> Result<()> {
    let span = match (keys.iter().min(), keys.iter().max()) {
        (Some(low), Some(high)) => Span::new(low.key(), high.key()),
        _ => return Ok(()),
    };
    if keys.len() <= LARGE {
        bucket::ranks(keys, below, scratch);
        return Ok(());
    }
    let source = keys.to_vec();
    ranks::<_, K, K>(&source, keys, span, |rank| K::narrow(rank + 2 * below), cancel)
}

/// Joins neighbouring bins into groups of about `target` values; a bin of more is a group by itself. Should the
/// groups not suffice, the last one takes the rest and is dealt again.
fn group_bins(bins: &[u64], target: usize) -> Vec<u16> {
    let (mut group, mut held) = (0, 0);
    let join = |&count: &u64| {
        if held > 0 && held + count > target as u64 && usize::from(group) + 1 < GROUPS {
            group += 1;
            held = 0;
        }
        held += count;
        group
    };
    bins.iter().map(join).collect()
}

fn count_groups(bins: &[u32], group_of: &[u16], groups: usize) -> Vec<u32> {
    let mut counts = vec![0; groups];
    bins.iter().zip(group_of).for_each(|(&count, &group)| counts[usize::from(group)] += count);
    counts
}
