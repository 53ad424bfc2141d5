use super::function::Operation;

#[test]
fn faults_of_floats_are_those_of_postgres() {
    let fault = |operation: Operation, left: f64, right: f64, result: f64| {
        operation.fault(left, right, result).map(|error| error.message().to_owned())
    };
    let (infinity, nan) = (f64::INFINITY, f64::NAN);
    assert_eq!(fault(Operation::Divide, 1.0, 0.0, infinity).unwrap(), "division by zero");
    assert_eq!(fault(Operation::Divide, infinity, 0.0, infinity).unwrap(), "division by zero");
    assert_eq!(fault(Operation::Divide, nan, 0.0, nan), None);
    assert_eq!(fault(Operation::Divide, 1.0, infinity, 0.0), None);
    assert_eq!(fault(Operation::Divide, 1e-300, 1e300, 0.0).unwrap(), "value out of range: underflow");
    assert_eq!(fault(Operation::Multiply, 1e300, 1e300, infinity).unwrap(), "value out of range: overflow");
    assert_eq!(fault(Operation::Multiply, infinity, 2.0, infinity), None);
    assert_eq!(fault(Operation::Multiply, 0.0, 2.0, 0.0), None);
    assert_eq!(fault(Operation::Add, 1.0, -1.0, 0.0), None);
}
