//! How refusals reach Python: an exception that says by fields which check failed, and where.

use deepprove_kernels::error::{Check, Error, Rejection};
use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

create_exception!(
    _kernels,
    Rejected,
    PyValueError,
    "A proof, or a share of one, does not pass a check. `check` is the check's short name, `message` what is
wrong; `round`, `index`, `expected` and `actual` are numbers that say where, or None."
);

/// A check that data from outside does not pass is Rejected; anything else is an argument that does not fit.
pub fn raise(error: impl Into<Error>) -> PyErr {
    let error = error.into();
    let text = error.to_string();
    match error {
        Error::Rejected(rejection) => {
            let check = rejection.check;
            rejected(text, check.as_str(), check.message().to_owned(), Some(rejection))
        }
        Error::Share(check) => rejected(text.clone(), check.as_str(), text, None),
        Error::Shape(_) => PyValueError::new_err(text),
    }
}

fn rejected(text: String, check: &'static str, message: String, rejection: Option<Rejection>) -> PyErr {
    let exception = Rejected::new_err(text);
    let fields = |py: Python<'_>| -> PyResult<()> {
        let value = exception.value(py);
        value.setattr("check", check)?;
        value.setattr("message", message)?;
        let Some(Rejection { round, index, expected, actual, .. }) = rejection else { return Ok(()) };
        value.setattr("round", round)?;
        value.setattr("index", index)?;
        value.setattr("expected", expected)?;
        value.setattr("actual", actual)
    };
    match Python::attach(fields) {
        Ok(()) => exception,
        Err(error) => error,
    }
}

/// The short names of all checks of a proof that `Rejected.check` can have.
#[pyfunction]
fn checks() -> Vec<&'static str> {
    Check::ALL.into_iter().map(Check::as_str).collect()
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let rejected = module.py().get_type::<Rejected>();
    rejected.setattr("check", "")?;
    rejected.setattr("message", "")?;
    for field in ["round", "index", "expected", "actual"] {
        rejected.setattr(field, module.py().None())?;
    }
    module.add("Rejected", rejected)?;
    module.add_function(wrap_pyfunction!(checks, module)?)
}
