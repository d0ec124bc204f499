#include "io/json.h"

#include <cmath>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include <nanobind/stl/string.h>

#include "core/number_text.h"
#include "crv/core/error.h"
#include "io/declared.h"

namespace crv::python {

namespace nb = nanobind;

namespace {

nb::object big_int(const std::string& digits) {
  PyObject* number = PyLong_FromString(digits.c_str(), nullptr, 10);
  if (number == nullptr) nb::raise_python_error();
  return nb::steal(number);
}

Json from_int(nb::handle value) {
  int overflow = 0;
  const long long number = PyLong_AsLongLongAndOverflow(value.ptr(), &overflow);
  if (overflow == 0) {
    if (number == -1 && PyErr_Occurred() != nullptr) nb::raise_python_error();
    return Json(static_cast<std::int64_t>(number));
  }
  return BigInt{nb::cast<std::string>(nb::str(value))};
}

bool has(nb::handle value, const char* attribute) {
  return nb::hasattr(value, attribute);
}

// A number that nothing holds to the digit. `path`: from the value that was asked for down to it.
struct Misfit {
  std::string path, value, why;
};

[[noreturn]] void refuse_number(nb::handle value, const std::string& why) {
  throw Misfit{"", nb::cast<std::string>(nb::str(value)).substr(0, 120), why};
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

// Lists and mappings may hold themselves: that is a RecursionError, as in Python's own json.
class Level {
 public:
  Level() {
    if (Py_EnterRecursiveCall(" while a value was read") != 0) nb::raise_python_error();
  }
  ~Level() { Py_LeaveRecursiveCall(); }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;
};

}  // namespace

nb::object to_python(const Json& value) {
  return std::visit(
      [](const auto& v) -> nb::object {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, std::nullptr_t>) {
          return nb::none();
        } else if constexpr (std::is_same_v<T, BigInt>) {
          return big_int(v.digits);
        } else if constexpr (std::is_same_v<T, JsonArray>) {
          nb::list items;
          for (const Json& item : v) items.append(to_python(item));
          return items;
        } else if constexpr (std::is_same_v<T, JsonObject>) {
          nb::dict members;
          for (const auto& [key, member] : v) members[nb::cast(key)] = to_python(member);
          return members;
        } else {
          return nb::cast(v);
        }
      },
      value.value());
}

namespace {

JsonObject read_object(nb::handle mapping, const io::Type* declared);
Json read(nb::handle value, const io::Type* declared);

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

JsonArray read_list(nb::handle list, const io::Type* declared) {
  JsonArray items;
  for (nb::handle item : nb::borrow<nb::iterable>(list))
    items.push_back(below("[]", [&] { return read(item, io::declared_elements(declared)); }));
  return items;
}

Json read(nb::handle value, const io::Type* declared) {
  if (value.is_none()) return nullptr;
  if (PyBool_Check(value.ptr())) return value.ptr() == Py_True;
  if (PyLong_Check(value.ptr())) return from_int(value);
  if (PyFloat_Check(value.ptr())) return nb::cast<double>(value);
  if (PyUnicode_Check(value.ptr())) return nb::cast<std::string>(value);
  const Level level;
  if (PyList_Check(value.ptr()) || PyTuple_Check(value.ptr())) return read_list(value, declared);
  if (has(value, "keys") && has(value, "__getitem__")) return read_object(value, declared);
  if (has(value, "ndim") && !value.attr("ndim").equal(nb::int_(0))) return read_list(value, declared);
  if (is_decimal(value)) return from_decimal(value, declared);
  if (has(value, "__index__") || has(value, "__float__")) return from_number(value, declared);
  const std::string type = nb::cast<std::string>(nb::handle(Py_TYPE(value.ptr())).attr("__name__"));
  throw nb::type_error(("a value of type " + type +
                        " has no place in a row: " + nb::cast<std::string>(nb::repr(value)).substr(0, 80))
                           .c_str());
}

JsonObject read_object(nb::handle mapping, const io::Type* declared) {
  JsonObject members;
  for (nb::handle key : nb::borrow<nb::iterable>(mapping.attr("keys")())) {
    if (!PyUnicode_Check(key.ptr()))
      throw nb::type_error(
          ("a key must be text, not " + nb::cast<std::string>(nb::repr(key)).substr(0, 80)).c_str());
    std::string name = nb::cast<std::string>(key);
    Json member = below("." + name, [&] { return read(mapping[key], io::declared_field(declared, name)); });
    members.push_back(std::move(name), std::move(member));
  }
  return members;
}

// For what is no row: a TypeError as for any value that has no place there.
template <class Work>
auto without_misfits(const Work& work) {
  try {
    return work();
  } catch (const Misfit& misfit) {
    throw nb::type_error((misfit.value + ": " + misfit.why).c_str());
  }
}

}  // namespace

Json from_python(nb::handle value) {
  return without_misfits([&] { return read(value, nullptr); });
}

JsonObject object_from_python(nb::handle mapping) {
  return without_misfits([&] { return read_object(mapping, nullptr); });
}

Json cell_from_python(nb::handle value, const io::Type* declared, const std::string& column,
                      std::int64_t row) {
  const auto fail = [row](ErrorCode code, const std::string& path, const std::string& cell,
                          const std::string& why) {
    raise(code, "column \"" + path + "\", row " + std::to_string(row) + ": " + why,
          {.column = path, .value = cell, .row = row});
  };
  try {
    return read(value, declared);
  } catch (const Misfit& misfit) {
    fail(ErrorCode::lossy_cast, column + misfit.path, misfit.value, misfit.value + ": " + misfit.why);
  } catch (const nb::builtin_exception& e) {
    fail(ErrorCode::wrong_type, column, "", e.what());
  }
  return nullptr;
}

}  // namespace crv::python
