#include "io/json.h"

#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "core/number_text.h"
#include "core/utf8.h"
#include "crv/core/error.h"
#include "crv/core/shown.h"
#include "io/schema/declared.h"
#include "io/text_caster.h"

namespace crv::python {

namespace nb = nanobind;

namespace {

constexpr int kMaxDepth = 512;  // of lists and mappings, as in a JSON text

// A value that has no place in what is asked for. `path`: from that down to it.
struct Misfit {
  ErrorCode code;
  std::string path, value, why;
};

// The text of a value for an error; "" where it has none.
std::string text_of_object(PyObject* (*text)(PyObject*), nb::handle value) {
  const nb::object made = nb::steal(text(value.ptr()));
  if (made.is_valid() && PyUnicode_Check(made.ptr()) != 0) return shortened(nb::cast<std::string>(made));
  PyErr_Clear();
  return "";
}

[[noreturn]] void refuse_number(nb::handle value, const std::string& why) {
  throw Misfit{ErrorCode::lossy_cast, "", text_of_object(PyObject_Str, value), why};
}

// Python refuses to write integers of some thousand digits.
std::string digits_of(nb::handle integer) {
  const nb::object text = nb::steal(PyObject_Str(integer.ptr()));
  if (text.is_valid()) return nb::cast<std::string>(text);
  PyErr_Clear();
  throw Misfit{ErrorCode::lossy_cast, "", "", "this integer does not fit into 64 bits"};
}

Json from_int(nb::handle value) {
  int overflow = 0;
  const long long number = PyLong_AsLongLongAndOverflow(value.ptr(), &overflow);
  if (overflow == 0) {
    if (number == -1 && PyErr_Occurred()) nb::raise_python_error();
    return Json(static_cast<std::int64_t>(number));
  }
  return BigInt{digits_of(value)};
}

bool has(nb::handle value, const char* attribute) {
  return nb::hasattr(value, attribute);
}

bool is_text(const io::Type* declared) {
  return declared != nullptr && declared->kind == io::Type::Kind::str;
}

bool is_float(const io::Type* declared) {
  return declared != nullptr && declared->kind == io::Type::Kind::f64;
}

Json from_decimal(nb::handle value, const io::Type* declared) {
  const std::string text = nb::cast<std::string>(nb::str(value));
  if (text.find("sNaN") != std::string::npos) refuse_number(value, "a signaling NaN is no value");
  if (text.find("NaN") != std::string::npos) return std::nan("");
  if (text.ends_with("Infinity")) return text.starts_with('-') ? -HUGE_VAL : HUGE_VAL;
  const std::optional<core::Decimal> number = core::parse_decimal(text);
  if (!number) refuse_number(value, "this is no decimal");
  const bool minus_zero = number->negative && number->digits.empty();
  const std::optional<std::int64_t> integer = core::to_i64(*number);
  if (integer && !minus_zero && !is_float(declared)) return *integer;
  if (const std::optional<double> real = core::to_f64(*number);
      real && (!is_text(declared) || !core::is_whole(*number)))
    return *real;
  if (is_text(declared)) {
    if (std::optional<std::string> digits = core::to_text(*number)) return *std::move(digits);
    refuse_number(value, "this decimal has too many digits for a text");
  }
  refuse_number(value, is_float(declared) ? "no double is this decimal or has it as its shortest decimal"
                                          : "neither an integer of 64 bits nor a double holds this decimal");
}

bool is_decimal(nb::handle value) {
  return nb::isinstance(value, nb::module_::import_("decimal").attr("Decimal"));
}

// What has no comparison of its own has nothing to lose.
bool same_number(nb::handle value, double number) {
  const nb::handle type = nb::handle(reinterpret_cast<PyObject*>(Py_TYPE(value.ptr())));
  if (std::isnan(number)) return true;
  if (type.attr("__eq__").is(nb::module_::import_("builtins").attr("object").attr("__eq__"))) return true;
  return nb::cast<bool>(nb::bool_(value.equal(nb::float_(number))));
}

double from_real(nb::handle value) {
  const nb::object real = nb::steal(PyNumber_Float(value.ptr()));
  if (!real.is_valid()) nb::raise_python_error();
  const double number = nb::cast<double>(real);
  if (!same_number(value, number)) refuse_number(value, "a double does not hold this number exactly");
  return number;
}

Json from_index(nb::handle value) {
  const nb::object index = nb::steal(PyNumber_Index(value.ptr()));
  if (!index.is_valid()) nb::raise_python_error();
  return from_int(index);
}

// Of a number that is no int, float or bool of Python's own.
Json from_number(nb::handle value, const io::Type* declared) {
  if (PyIndex_Check(value.ptr()) != 0) return from_index(value);
  if (has(value, "dtype") && has(value, "itemsize")) {  // NumPy's: its floats may be narrow
    const std::string kind = nb::cast<std::string>(nb::str(value.attr("dtype").attr("kind")));
    if (kind == "b") return nb::cast<bool>(nb::bool_(value));
    const double number = from_real(value);
    const int bits = 8 * nb::cast<int>(value.attr("itemsize"));
    return is_text(declared) && std::isfinite(number) && bits < 64 ? core::shortest_as_double(number, bits)
                                                                   : number;
  }
  if (has(value, "denominator") && value.attr("denominator").equal(nb::int_(1)) && has(value, "numerator"))
    return from_index(value.attr("numerator"));
  return from_real(value);
}

// What is asked for: the column's type as declared.h has it, and whether texts must be UTF-8.
struct Asked {
  const io::Type* declared = nullptr;
  bool any_text = false;
  int depth = 0;

  Asked elements() const { return {io::elements_of(declared), any_text, depth + 1}; }
  Asked field(const std::string& name) const { return {io::field_of(declared, name), any_text, depth + 1}; }
};

JsonObject read_object(nb::handle mapping, const Asked& asked);
Json read(nb::handle value, const Asked& asked);

// As `work` does it; what does not fit is told with the step that leads down to it.
template <class Work>
auto below(const std::string& step, const Work& work) {
  try {
    return work();
  } catch (Misfit& misfit) {
    misfit.path = step + misfit.path;
    throw;
  }
}

std::string read_text(nb::handle text, bool any) {
  std::string bytes = nb::cast<std::string>(text);
  if (!any && !is_utf8(bytes))
    throw Misfit{ErrorCode::wrong_type, "", text_of_object(PyObject_ASCII, text),
                 "this text holds half of a surrogate pair, so it has no UTF-8"};
  return bytes;
}

// Lists and mappings may hold themselves, so there must be an end.
void check_depth(const Asked& asked) {
  if (asked.depth >= kMaxDepth)
    throw Misfit{ErrorCode::wrong_type, "", "",
                 "nested deeper than " + std::to_string(kMaxDepth) + " levels, or it holds itself"};
}

JsonArray read_list(nb::handle list, const Asked& asked) {
  check_depth(asked);
  JsonArray items;
  for (nb::handle item : nb::borrow<nb::iterable>(list))
    items.push_back(below("[]", [&] { return read(item, asked.elements()); }));
  return items;
}

bool is_other(const io::Type* declared) {
  return declared != nullptr && declared->kind == io::Type::Kind::other;
}

bool is_enum(nb::handle value) {
  return nb::isinstance(value, nb::module_::import_("enum").attr("Enum"));
}

Json read(nb::handle value, const Asked& asked) {
  if (value.is_none()) return nullptr;
  if (PyBool_Check(value.ptr())) return value.ptr() == Py_True;
  if (PyLong_Check(value.ptr())) return from_int(value);
  if (PyFloat_Check(value.ptr())) return nb::cast<double>(value);
  if (PyUnicode_Check(value.ptr())) return read_text(value, asked.any_text);
  if (PyList_Check(value.ptr()) || PyTuple_Check(value.ptr())) return read_list(value, asked);
  if (has(value, "keys") && has(value, "__getitem__")) return read_object(value, asked);
  if (has(value, "ndim") && !value.attr("ndim").equal(nb::int_(0))) return read_list(value, asked);
  if (is_decimal(value)) return from_decimal(value, asked.declared);
  // Only where it is declared: else a moment would become text for good.
  if (is_other(asked.declared) && has(value, "isoformat")) return read_text(value.attr("isoformat")(), false);
  if (is_enum(value)) return read(value.attr("value"), asked);
  if (has(value, "__index__") || has(value, "__float__")) return from_number(value, asked.declared);
  const std::string type = nb::cast<std::string>(nb::handle(Py_TYPE(value.ptr())).attr("__name__"));
  throw Misfit{ErrorCode::wrong_type, "", text_of_object(PyObject_Repr, value),
               "a value of type " + type + " has no place in a row"};
}

JsonObject read_object(nb::handle mapping, const Asked& asked) {
  check_depth(asked);
  JsonObject members;
  for (nb::handle key : nb::borrow<nb::iterable>(mapping.attr("keys")())) {
    if (!PyUnicode_Check(key.ptr()))
      throw Misfit{ErrorCode::wrong_type, "", text_of_object(PyObject_Repr, key), "a key must be text"};
    std::string name = read_text(key, asked.any_text);
    Json member = below("." + name, [&] { return read(mapping[key], asked.field(name)); });
    members.push_back(std::move(name), std::move(member));
  }
  return members;
}

std::string told(const Misfit& misfit) {
  return (misfit.value.empty() ? "" : misfit.value + ": ") + misfit.why;
}

// For what is no row: a TypeError as for any value that has no place there.
template <class Work>
auto without_misfits(const Work& work) {
  try {
    return work();
  } catch (const Misfit& misfit) {
    const std::string path = misfit.path.starts_with('.') ? misfit.path.substr(1) : misfit.path;
    throw nb::type_error(printable((path.empty() ? "" : path + ": ") + told(misfit)).c_str());
  }
}

}  // namespace

namespace {

// Whether lists and dicts end within so many levels.
bool ends_within(PyObject* value, int levels) {
  if (PyDict_Check(value) != 0) {
    PyObject* member = nullptr;
    Py_ssize_t at = 0;
    while (levels > 0 && PyDict_Next(value, &at, nullptr, &member) != 0)
      if (!ends_within(member, levels - 1)) return false;
    return levels > 0;
  }
  const bool is_list = PyList_Check(value) != 0;
  if (!is_list && PyTuple_Check(value) == 0) return true;
  const Py_ssize_t size = is_list ? PyList_Size(value) : PyTuple_Size(value);
  for (Py_ssize_t i = 0; levels > 0 && i < size; ++i)
    if (!ends_within(is_list ? PyList_GetItem(value, i) : PyTuple_GetItem(value, i), levels - 1))
      return false;
  return levels > 0;
}

}  // namespace

std::optional<std::int64_t> first_too_deep(const nb::list& values) {
  std::int64_t row = 0;
  for (nb::handle value : values) {
    if (!ends_within(value.ptr(), io::kMaxTypeDepth)) return row;
    ++row;
  }
  return std::nullopt;
}

Json from_python(nb::handle value, bool any_text) {
  return without_misfits([&] { return read(value, {.any_text = any_text}); });
}

JsonObject object_from_python(nb::handle mapping, bool any_text) {
  return without_misfits([&] { return read_object(mapping, {.any_text = any_text}); });
}

std::string column_name(nb::handle key, std::int64_t row) {
  try {
    if (PyUnicode_Check(key.ptr())) return read_text(key, false);
    throw Misfit{ErrorCode::wrong_type, "", text_of_object(PyObject_Str, key),
                 "a column's name must be text"};
  } catch (const Misfit& misfit) {
    raise(misfit.code, "column \"" + misfit.value + "\", row " + std::to_string(row) + ": " + misfit.why,
          {.column = misfit.value, .value = misfit.value, .row = row});
  }
}

Json cell_from_python(nb::handle value, const io::Type* declared, const std::string& column,
                      std::int64_t row) {
  try {
    return read(value, {.declared = declared});
  } catch (const Misfit& misfit) {
    const std::string path = column + misfit.path;
    raise(misfit.code, "column \"" + shortened(path) + "\", row " + std::to_string(row) + ": " + told(misfit),
          {.column = path, .value = misfit.value, .row = row});
  }
}

}  // namespace crv::python
