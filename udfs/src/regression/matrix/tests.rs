use super::*;

fn example() -> Matrix {
    let cells = [4.0, 2.0, -1.0, 2.0, 5.0, 0.5, -1.0, 0.5, 3.0];
    Matrix::from_fn(3, |row, column| cells[row * 3 + column])
}

#[test]
fn inverse_undoes_the_matrix() {
    let inverse = example().cholesky(1e-12).unwrap().inverse();
    for column in 0..3 {
        let unit = example().times(&(0..3).map(|row| inverse.get(row, column)).collect::<Vec<_>>());
        for (row, value) in unit.into_iter().enumerate() {
            assert!((value - f64::from(u8::from(row == column))).abs() < 1e-14);
        }
    }
}

#[test]
fn determinant_and_eigenvalues_agree() {
    let (values, vectors) = example().eigen();
    let ln_product: f64 = values.iter().map(|value| value.ln()).sum();
    assert!((ln_product - example().cholesky(1e-12).unwrap().ln_determinant()).abs() < 1e-13);
    for (place, value) in values.iter().enumerate() {
        let vector: Vec<f64> = (0..3).map(|row| vectors.get(row, place)).collect();
        for (image, own) in example().times(&vector).iter().zip(&vector) {
            assert!((image - value * own).abs() < 1e-13);
        }
    }
}

#[test]
fn a_dependent_column_names_its_parts() {
    // Column 3 = column 0 − 2 · column 2; column 1 has no part in it.
    let base = [[1.0, 0.0, 0.0], [0.3, 1.0, 0.0], [0.2, 0.4, 1.0], [0.6, -0.8, -2.0]];
    let rows = Matrix::from_fn(4, |a, b| (0..3).map(|i| base[a][i] * base[b][i]).sum());
    assert_eq!(rows.cholesky(1e-10).unwrap_err(), Dependence { column: 3, on: vec![0, 2] });
}
