#include "json.h"

#include <string>
#include <type_traits>
#include <variant>

#include <nanobind/stl/string.h>

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

// Of a number that is no int, float or bool of Python's own.
Json from_number(nb::handle value) {
  if (PyIndex_Check(value.ptr()) != 0) {
    const nb::object index = nb::steal(PyNumber_Index(value.ptr()));
    if (!index.is_valid()) nb::raise_python_error();
    return from_int(index);
  }
  const nb::object real = nb::steal(PyNumber_Float(value.ptr()));
  if (!real.is_valid()) nb::raise_python_error();
  return nb::cast<double>(real);
}

bool has(nb::handle value, const char* attribute) {
  return nb::hasattr(value, attribute);
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

Json from_python(nb::handle value) {
  if (value.is_none()) return nullptr;
  if (PyBool_Check(value.ptr())) return value.ptr() == Py_True;
  if (PyLong_Check(value.ptr())) return from_int(value);
  if (PyFloat_Check(value.ptr())) return nb::cast<double>(value);
  if (PyUnicode_Check(value.ptr())) return nb::cast<std::string>(value);
  const Level level;
  if (PyList_Check(value.ptr()) || PyTuple_Check(value.ptr())) {
    JsonArray items;
    for (nb::handle item : nb::borrow<nb::iterable>(value)) items.push_back(from_python(item));
    return items;
  }
  if (has(value, "keys") && has(value, "__getitem__")) return object_from_python(value);
  if (has(value, "__index__") || has(value, "__float__")) return from_number(value);
  const std::string type = nb::cast<std::string>(nb::handle(Py_TYPE(value.ptr())).attr("__name__"));
  throw nb::type_error(("a value of type " + type +
                        " has no place in a row: " + nb::cast<std::string>(nb::repr(value)).substr(0, 80))
                           .c_str());
}

JsonObject object_from_python(nb::handle mapping) {
  JsonObject members;
  for (nb::handle key : nb::borrow<nb::iterable>(mapping.attr("keys")())) {
    if (!PyUnicode_Check(key.ptr()))
      throw nb::type_error(
          ("a key must be text, not " + nb::cast<std::string>(nb::repr(key)).substr(0, 80)).c_str());
    members.push_back(nb::cast<std::string>(key), from_python(mapping[key]));
  }
  return members;
}

}  // namespace crv::python
