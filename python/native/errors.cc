#include "errors.h"

#include <exception>

#include "crv/core/error.h"
#include "text.h"

namespace crv::python {

namespace nb = nanobind;

namespace {

nb::list plain(const std::vector<Violation>& violations) {
  nb::list all;
  for (const Violation& violation : violations) {
    nb::list first;
    for (const Violation::Row& row : violation.first)
      first.append(nb::make_tuple(row.row, text_of(row.value)));
    nb::dict one;
    one["rule"] = text_of(violation.rule);
    one["column"] = text_of(violation.column);
    one["reason"] = text_of(violation.reason);
    one["count"] = violation.count;
    one["first"] = std::move(first);
    all.append(std::move(one));
  }
  return all;
}

nb::dict facts_of(const Error& error) {
  const ErrorFacts& facts = error.facts();
  nb::dict all;
  const auto put_text = [&](const char* name, const std::string& value) {
    if (!value.empty()) all[name] = text_of(value);
  };
  const auto put_number = [&](const char* name, const std::optional<std::int64_t>& value) {
    if (value) all[name] = *value;
  };
  put_text("run_id", facts.run_id);
  put_text("table", facts.table);
  put_text("column", facts.column);
  put_text("key", facts.key);
  put_text("value", facts.value);
  put_text("path", facts.path);
  put_number("row", facts.row);
  put_number("line", facts.line);
  put_number("bucket", facts.bucket);
  put_number("seq", facts.seq);
  if (facts.os_error != 0) all["errno"] = facts.os_error;
  if (!facts.violations.empty()) all["violations"] = plain(facts.violations);
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
