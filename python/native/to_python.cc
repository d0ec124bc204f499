#include "to_python.h"

#include <string>
#include <type_traits>
#include <variant>

#include "text.h"

namespace crv::python {

namespace nb = nanobind;

namespace {

nb::object big_int(const std::string& digits) {
  PyObject* number = PyLong_FromString(digits.c_str(), nullptr, 10);
  if (!number) nb::raise_python_error();
  return nb::steal(number);
}

}  // namespace

nb::object to_python(const Json& value) {
  return std::visit(
      [](const auto& v) -> nb::object {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, std::nullptr_t>) {
          return nb::none();
        } else if constexpr (std::is_same_v<T, BigInt>) {
          return big_int(v.digits);
        } else if constexpr (std::is_same_v<T, std::string>) {
          return text_of(v);
        } else if constexpr (std::is_same_v<T, JsonArray>) {
          nb::list items;
          for (const Json& item : v) items.append(to_python(item));
          return items;
        } else if constexpr (std::is_same_v<T, JsonObject>) {
          nb::dict members;
          for (const auto& [key, member] : v) members[text_of(key)] = to_python(member);
          return members;
        } else {
          return nb::cast(v);
        }
      },
      value.value());
}

}  // namespace crv::python
