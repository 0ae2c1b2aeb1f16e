use pixelfast_core::Error;
use pixelfast_core::rank::rank;
use pixelfast_core::real::Real;
use proptest::prelude::*;

use crate::{assert_cancels, narrow, on_threads, uniform, values};

/// By sorting: the mean of the first and the last place of equal values, over n.
fn reference<S: Real>(values: &[S]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].partial_cmp(&values[b]).unwrap());
    let mut ranks = vec![0.0; values.len()];
    for ties in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let first = ties.as_ptr_range().start as usize - order.as_ptr_range().start as usize;
        let first = first / size_of::<usize>();
        let average = (2 * first + ties.len() + 1) as f64 / 2.0;
        ties.iter().for_each(|&index| ranks[index] = average / values.len() as f64);
    }
    ranks
}

fn ranks<S: Real + std::fmt::Debug>(values: &[S]) -> Vec<f64> {
    on_threads(values.len(), |out, cancel| rank(values, out, cancel)).unwrap()
}

/// Both widths, exactly.
fn assert_ranks(values: &[f64]) {
    assert_eq!(ranks(values), reference(values));
    let narrow = narrow(values);
    assert_eq!(ranks(&narrow), reference(&narrow));
}

proptest! {
    #[test]
    fn equals_sorting(values in values()) {
        assert_ranks(&values);
    }

    /// On whole numbers, which the function keeps apart.
    #[test]
    fn is_unmoved_by_an_increasing_function(whole in prop::collection::vec(-1000..1000i32, 1..300)) {
        let values: Vec<f64> = whole.into_iter().map(f64::from).collect();
        let moved: Vec<f64> = values.iter().map(|value| value.mul_add(0.5, 7.0).cbrt()).collect();
        prop_assert_eq!(ranks(&values), ranks(&moved));
    }
}

#[test]
fn deals_many_values_of_one_density() {
    assert_ranks(&uniform(1, 1_300_000));
}

#[test]
fn deals_ties() {
    assert_ranks(&uniform(2, 300_000).iter().map(|value| (value * 1e5).floor()).collect::<Vec<_>>());
    assert_ranks(&uniform(3, 300_000).iter().map(|value| (value * 3.0).floor()).collect::<Vec<_>>());
    assert_ranks(&vec![0.25; 100_000]);
}

/// Nearly all values in one bin of the first dealing, so that they are dealt again, in f64 more than once.
#[test]
fn deals_again_what_lies_close_together() {
    let mut values: Vec<f64> = uniform(4, 600_000).iter().map(|value| 1.0 + value * 1e-6).collect();
    values[17] = 1e30;
    values[500_000] = -1e30;
    assert_ranks(&values);
    let mut steep: Vec<f64> = uniform(5, 600_000).iter().map(|value| (value * 80.0).exp2()).collect();
    steep[3] = -1e30;
    assert_ranks(&steep);
}

/// Every second bin is crowded: groups run out before bins do.
#[test]
fn deals_when_groups_run_out() {
    let comb = |(index, value): (usize, &f64)| if index % 2 == 0 { (value * 700.0).floor() } else { value * 700.0 };
    assert_ranks(&uniform(6, 700_000).iter().enumerate().map(comb).collect::<Vec<_>>());
}

#[test]
fn refuses_what_is_not_finite() {
    for (bad, name) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf"), (-f32::NAN, "NaN")] {
        for place in [0, 70_001, 99_999] {
            let mut values = vec![1f32; 100_000];
            values[place..].fill(bad);
            let refused = on_threads(values.len(), |out, cancel| rank(&values, out, cancel));
            let sentence = format!("values must be finite, but values[{place}] is {name}");
            assert_eq!(refused, Err(Error::Value(sentence)));
        }
    }
    assert!(matches!(rank(&[1f32], &mut [], &pixelfast_core::Cancel::default()), Err(Error::Shape(_))));
}

#[test]
fn stops() {
    for len in [10, 100_000] {
        assert_cancels(|cancel| rank(&uniform(0, len), &mut vec![0.0; len], cancel));
    }
}
