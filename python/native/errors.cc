#include "errors.h"

#include <exception>

#include "crv/core/error.h"
#include "text.h"
#include "to_python.h"

namespace crv::python {

namespace nb = nanobind;

namespace {

// As crv.core.errors has them: os_error is errno, and the first rows of a violation are pairs.
nb::dict facts_of(const Error& error) {
  nb::dict all;
  for (const auto& [name, fact] : to_json(error.facts()))
    all[name == "os_error" ? "errno" : name.c_str()] = to_python(fact);
  if (!error.facts().violations.empty()) {
    for (nb::handle violation : all["violations"]) {
      nb::list first;
      for (nb::handle row : violation["first"]) first.append(nb::make_tuple(row["row"], row["value"]));
      violation["first"] = first;
    }
  }
  return all;
}

void translate(const std::exception_ptr& thrown, void*) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& error) {
    const nb::object make = nb::module_::import_("crv.core.errors").attr("make_error");
    const nb::object made = make(name_of(error.code()), text_of(error.what()), facts_of(error));
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(made.ptr())), made.ptr());
  }
}

}  // namespace

void translate_errors() {
  nb::register_exception_translator(translate);
}

}  // namespace crv::python
