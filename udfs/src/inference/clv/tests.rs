use super::history::{Histories, History};
use super::rfm::{Customer, Scores, Ties, scores};
use super::special::{digamma, hypergeometric, trigamma};
use super::value::{Horizon, value};
use super::{bg_nbd, gamma_gamma};
use crate::inference::generator::Generator;
use crate::inference::rows::Rows;
use crate::inference::tests::{Golden, near};

fn golden() -> Golden {
    Golden::new(include_str!("../../../golden/inference/clv.csv"))
}

#[test]
fn special_functions_agree_with_scipy() {
    let golden = golden();
    for x in ["0.01", "0.3", "1.0", "7.7", "40.0"] {
        let value = x.parse().expect("number");
        golden.check(&format!("digamma_{x}"), digamma(value), 1e-13);
        golden.check(&format!("trigamma_{x}"), trigamma(value), 1e-13);
    }
    for name in
        ["2.2_3.3_4.1_0.5", "1.24_3.4_2.2_0.9", "12.0_9.5_11.3_0.99", "0.3_2.4_0.4_0.2", "0.2_0.3_-0.4_0.6"]
    {
        let parts: Vec<f64> = name.split('_').map(|part| part.parse().expect("number")).collect();
        golden.check(&format!("2f1_{name}"), hypergeometric(parts[0], parts[1], parts[2], parts[3]), 1e-11);
    }
}

/// Customers as the golden script draws them.
fn customers(n: usize) -> Vec<History> {
    let mut generator = Generator::new(21);
    let draw = |_| {
        let rate = generator.normal().powi(2) / 2.0 / 6.0;
        let leave = 1.0 - generator.uniform().powf(1.0 / 2.5);
        let age = 20.0 + generator.below(21) as f64;
        let (mut time, mut frequency, mut recency) = (0.0, 0.0, 0.0);
        loop {
            time -= generator.uniform().ln() / rate;
            if time > age {
                break;
            }
            frequency += 1.0;
            recency = f64::ceil(time);
            if generator.uniform() < leave {
                break;
            }
        }
        History::new(frequency, recency, age).expect("possible")
    };
    (0..n).map(draw).collect()
}

fn fitted(customers: &[History]) -> bg_nbd::Fit {
    let mut histories = Histories::default();
    customers.iter().for_each(|history| histories.update(*history));
    bg_nbd::fit(&mut histories).expect("fits")
}

#[test]
fn bg_nbd_agrees_with_a_slow_fit() {
    let golden = golden();
    let fit = fitted(&customers(4000));
    for (name, found) in
        [("r", fit.model.r), ("alpha", fit.model.alpha), ("a", fit.model.a), ("b", fit.model.b)]
    {
        golden.check(&format!("sim_{name}"), found, 1e-5);
    }
    golden.check("sim_ll", fit.log_likelihood, 1e-10);
    let model = [golden.get("sim_r"), golden.get("sim_alpha"), golden.get("sim_a"), golden.get("sim_b")];
    let model = bg_nbd::Model::new(model[0], model[1], model[2], model[3]).expect("positive");
    for (frequency, recency, age) in
        [(0.0, 0.0, 30.0), (1.0, 3.0, 38.0), (7.0, 30.0, 31.0), (26.0, 30.86, 38.86)]
    {
        let history = History::new(frequency, recency, age).expect("possible");
        golden.check(&format!("alive_{frequency}"), model.p_alive(&history), 1e-12);
        for time in ["1.0", "39.0", "500.0"] {
            let found = model.expected_purchases(&history, time.parse().expect("number")).expect("valid");
            golden.check(&format!("expected_{frequency}_{time}"), found, 1e-9);
        }
    }
}

#[test]
fn bg_nbd_does_not_depend_on_order_split_or_unit() {
    let customers = customers(3000);
    let fit = fitted(&customers);
    let mut merged = Histories::default();
    for part in customers.rchunks(170) {
        let mut state = Histories::default();
        part.iter().for_each(|history| {
            let [recency, age] = [history.recency * 7.0, history.age * 7.0];
            state.update(History::new(history.frequency, recency, age).expect("possible"));
        });
        merged.merge(&Histories::from_bytes(&state.to_bytes()).expect("whole"));
    }
    let other = bg_nbd::fit(&mut merged).expect("fits");
    near("r", other.model.r, fit.model.r, 1e-6);
    near("alpha", other.model.alpha, 7.0 * fit.model.alpha, 1e-5);
    near("b", other.model.b, fit.model.b, 1e-5);
    assert_eq!((fit.n, other.n), (3000, 3000));
}

#[test]
fn bg_nbd_is_smooth_where_its_formula_is_not() {
    let history = History::new(0.0, 0.0, 30.0).expect("possible");
    let expected = |a: f64, b: f64| {
        let model = bg_nbd::Model::new(0.5, 6.0, a, b).expect("positive");
        model.expected_purchases(&history, 20.0).expect("valid")
    };
    near("a = 1", expected(1.0, 2.0), 0.5 * (expected(0.999, 2.0) + expected(1.001, 2.0)), 1e-6);
    near("a + b = 1", expected(0.4, 0.6), 0.5 * (expected(0.4, 0.599) + expected(0.4, 0.601)), 1e-6);
    assert_eq!(
        bg_nbd::Model::new(1.0, 1.0, 0.5, 0.5).expect("positive").expected_purchases(&history, 0.0),
        Ok(0.0)
    );
}

#[test]
fn purchase_models_refuse_what_cannot_be() {
    assert!(History::new(1.5, 1.0, 2.0).is_err() && History::new(1.0, 3.0, 2.0).is_err());
    assert!(History::new(0.0, 1.0, 2.0).is_err() && History::new(1.0, f64::NAN, 2.0).is_err());
    assert!(bg_nbd::Model::new(0.0, 1.0, 1.0, 1.0).is_err());
    let mut nobody = Histories::default();
    assert!(bg_nbd::fit(&mut nobody).is_err());
    (0..50).for_each(|age| nobody.update(History::new(0.0, 0.0, f64::from(age)).expect("possible")));
    assert_eq!(bg_nbd::fit(&mut nobody).expect_err("no repeats").message, "no customer bought again");
    let mut same = Histories::default();
    (0..50).for_each(|_| same.update(History::new(2.0, 5.0, 10.0).expect("possible")));
    // Customers who do not differ have no finite answer; an error or a fit, but an end.
    let _ = bg_nbd::fit(&mut same);
    assert!(gamma_gamma::fit(&Rows::new(0, 2)).is_err());
}

fn spending() -> Rows {
    let mut generator = Generator::new(22);
    let mut rows = Rows::new(0, 2);
    for _ in 0..1500 {
        let rate = (0..4).map(|_| -generator.uniform().ln()).sum::<f64>() / 15.0;
        let frequency = 1 + generator.below(6);
        let sum: f64 = (0..6 * frequency).map(|_| -generator.uniform().ln()).sum();
        rows.update(&[], &[frequency as f64, sum / rate / frequency as f64]).expect("a row");
    }
    rows.update(&[], &[0.0, 0.0]).expect("a row");
    rows
}

#[test]
fn gamma_gamma_agrees_with_a_slow_fit() {
    let golden = golden();
    let fit = gamma_gamma::fit(&spending()).expect("fits");
    golden.check("gg_p", fit.model.p, 1e-5);
    golden.check("gg_q", fit.model.q, 1e-5);
    golden.check("gg_g", fit.model.scale, 1e-5);
    golden.check("gg_ll", fit.log_likelihood, 1e-10);
    golden.check("gg_corr", fit.correlation, 1e-10);
    assert_eq!(fit.n, 1500);
    let model = gamma_gamma::Model::new(6.25, 3.74, 15.45).expect("positive");
    golden.check("spend_3_30", model.expected_spend(3.0, 30.0).expect("mean"), 1e-12);
    golden.check("spend_0", model.expected_spend(0.0, 0.0).expect("mean"), 1e-12);
    assert_eq!(gamma_gamma::Model::new(6.0, 0.9, 15.0).expect("positive").expected_spend(0.0, 0.0), None);
}

#[test]
fn value_is_discounted_margin_of_expected_purchases() {
    let golden = golden();
    let purchases = bg_nbd::Model::new(0.243, 4.414, 0.793, 2.426).expect("positive");
    let spend = gamma_gamma::Model::new(6.25, 3.74, 15.45).expect("positive");
    let history = History::new(4.0, 20.0, 30.0).expect("possible");
    golden.check("e_4_39", purchases.expected_purchases(&history, 39.0).expect("valid"), 1e-10);
    let horizon = Horizon { periods: 12, period: 4.0, rate: 0.01, margin: 0.3 };
    let found = value(&purchases, &spend, &history, 35.0, horizon).expect("valid").expect("mean");
    golden.check("clv", found, 1e-10);
    for wrong in [
        Horizon { periods: 0, ..horizon },
        Horizon { period: 0.0, ..horizon },
        Horizon { rate: -1.0, ..horizon },
        Horizon { margin: f64::NAN, ..horizon },
    ] {
        assert!(value(&purchases, &spend, &history, 35.0, wrong).is_err());
    }
}

fn customer(key: &str, recency: f64, frequency: f64, monetary: f64) -> Customer {
    Customer { key: key.to_owned(), recency, frequency, monetary }
}

#[test]
fn rfm_scores_do_not_depend_on_order() {
    let customers = vec![
        customer("a", 1.0, 9.0, 50.0),
        customer("b", 30.0, 1.0, 10.0),
        customer("c", 30.0, 1.0, 10.0),
        customer("d", 5.0, 1.0, 90.0),
        customer("e", 90.0, 2.0, 20.0),
    ];
    let found = scores(&customers, 5, Ties::Apart).expect("valid");
    let list = |read: fn(&Scores) -> u32| found.iter().map(read).collect::<Vec<_>>();
    assert_eq!(list(|s| s.recency), [5, 2, 3, 4, 1]);
    assert_eq!(list(|s| s.frequency), [5, 1, 2, 3, 4]);
    assert_eq!(list(|s| s.monetary), [4, 1, 2, 5, 3]);
    let mut reversed = customers.clone();
    reversed.reverse();
    let mut back = scores(&reversed, 5, Ties::Apart).expect("valid");
    back.reverse();
    assert_eq!(back, found);
    let together = scores(&customers, 5, Ties::Together).expect("valid");
    assert_eq!(together[1].recency, together[2].recency);
    assert_eq!(together.iter().map(|s| s.frequency).collect::<Vec<_>>(), [5, 2, 2, 2, 4]);
    assert!(scores(&customers, 1, Ties::Apart).is_err());
    assert!(scores(&[customer("x", f64::NAN, 1.0, 1.0)], 5, Ties::Apart).is_err());
    assert_eq!(scores(&[], 5, Ties::Apart), Ok(Vec::new()));
}

#[test]
fn rfm_parts_are_those_of_ntile() {
    let customers: Vec<Customer> = (0..7).map(|i| customer(&i.to_string(), 0.0, f64::from(i), 0.0)).collect();
    let found = scores(&customers, 3, Ties::Apart).expect("valid");
    assert_eq!(found.iter().map(|s| s.frequency).collect::<Vec<_>>(), [1, 1, 1, 2, 2, 3, 3]);
    let few = scores(&customers[..2], 5, Ties::Apart).expect("valid");
    assert_eq!(few.iter().map(|s| s.frequency).collect::<Vec<_>>(), [1, 2]);
}
