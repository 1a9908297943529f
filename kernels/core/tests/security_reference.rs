//! The reference table for the soundness account in Python, computed with p3-security.
//!
//! `tests/protocol/parameters/reference.csv` is what this test computes; the Python tests compare the package's
//! formulas with that file. `WRITE_REFERENCE=1 cargo test --test security_reference` writes it again.

use std::fmt::Write as _;
use std::path::PathBuf;

use p3_security::SecurityAssumption::{self, JohnsonBound, UniqueDecoding};
use p3_security::fri::query_phase_error;
use p3_security::multilinear::{MultilinearAirParams, MultilinearLookupParams, reduction_terms};
use p3_security::proximity::alpha_ldr_m;

const FIELD_BITS: usize = 154;
const LIST_PARAMETERS: [usize; 5] = [3, 10, 25, 79, 400];
const CODES: [(usize, usize); 6] = [(7, 6), (9, 4), (12, 5), (16, 3), (18, 1), (20, 4)];

fn row(table: &mut String, quantity: &str, numbers: [usize; 4], bits: f64) {
    let [a, b, c, d] = numbers;
    writeln!(table, "{quantity},{a},{b},{c},{d},{bits:.9}").expect("writing to a string");
}

/// Rows of the quantities that depend on a code: log_rows, log_inverse_rate, list parameter m, count.
fn code_rows(table: &mut String) {
    for (log_rows, log_inverse_rate) in CODES {
        for m in LIST_PARAMETERS {
            // eta = sqrt(rate) / (2m)
            let log_eta = -(log_inverse_rate as f64) / 2.0 - 1.0 - (m as f64).log2();
            let at = |count| [log_rows, log_inverse_rate, m, count];
            let list = JohnsonBound.list_size_bits_at_log_eta(log_rows, log_inverse_rate, log_eta);
            row(table, "list_size", at(0), list);
            let out_of_domain =
                JohnsonBound.ood_error_at_log_eta(log_rows, log_inverse_rate, FIELD_BITS, 1, log_eta);
            row(table, "out_of_domain", at(0), out_of_domain);
            let sumcheck =
                JohnsonBound.fold_sumcheck_error_at_log_eta(FIELD_BITS, log_rows, log_inverse_rate, log_eta);
            row(table, "fold_sumcheck", at(0), sumcheck);
            let newest =
                SecurityAssumption::prox_gaps_error_jb_at_m(log_rows, log_inverse_rate, FIELD_BITS, 2, m);
            row(table, "line_2026_2056", at(0), newest);
            for queries in [1, 34, 110] {
                let combination = JohnsonBound.queries_combination_error_at_log_eta(
                    FIELD_BITS,
                    log_rows,
                    log_inverse_rate,
                    1,
                    queries,
                    log_eta,
                );
                row(table, "query_combination", at(queries), combination);
                let alpha = alpha_ldr_m(log_inverse_rate, m);
                row(table, "queries", at(queries), query_phase_error(alpha, queries, 0).bits());
            }
        }
        let line = UniqueDecoding.prox_gaps_error(log_rows, log_inverse_rate, FIELD_BITS, 2);
        row(table, "unique_line", [log_rows, log_inverse_rate, 0, 0], line);
        for queries in [1, 157, 309] {
            let missed = UniqueDecoding.queries_error(log_inverse_rate, queries);
            row(table, "unique_queries", [log_rows, log_inverse_rate, 0, queries], missed);
        }
        // p3-security batches claims at its default m only.
        for claims in [2, 45, 1001] {
            let bits = JohnsonBound.initial_claims_error(FIELD_BITS, log_rows, log_inverse_rate, claims);
            row(table, "claim_batching", [log_rows, log_inverse_rate, 10, claims], bits);
        }
    }
}

/// Rows of the quantities outside the opening: sumcheck variables, log leaves, fractions, tuple width.
fn reduction_rows(table: &mut String) {
    for (variables, log_leaves, fractions, width) in
        [(5, 6, 60, 1), (10, 13, 8000, 2), (22, 18, 200_000, 3), (24, 27, 1 << 27, 2)]
    {
        let shape = MultilinearAirParams {
            num_instances: 17,
            max_num_constraints: 1,
            num_variables: variables,
            // The crate adds the degree of its equality weight: the rounds have degree 3.
            constraint_degree: 2,
            lookup: Some(MultilinearLookupParams {
                num_variables: log_leaves,
                num_fractions: fractions,
                max_message_width: width,
            }),
            skip: None,
            logup_star: None,
        };
        for term in reduction_terms(&shape, FIELD_BITS, FIELD_BITS) {
            row(table, term.label, [variables, log_leaves, fractions, width], term.bits.bits());
        }
    }
}

#[test]
fn the_reference_table_is_what_p3_security_computes() {
    let mut table = String::from("quantity,first,second,third,fourth,bits\n");
    code_rows(&mut table);
    reduction_rows(&mut table);
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/protocol/parameters/reference.csv");
    if std::env::var_os("WRITE_REFERENCE").is_some() {
        std::fs::write(&path, &table).expect("the table is writable");
    }
    let kept = std::fs::read_to_string(&path).expect("the table is readable");
    assert!(kept == table, "{} differs: see the head of this test", path.display());
}
