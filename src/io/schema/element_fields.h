// The fields of the models that the elements of a list of structs may have.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace crv::io {

// A field of a model of rows.h as a value.
struct ElementField {
  enum class Kind { text, number, object, other };

  std::string name;
  bool required = false;
  Kind kind = Kind::other;

  std::string type_word() const;  // "a text"
};

// The fields of a model in order; none where there is no such model.
std::vector<ElementField> element_fields_of(std::string_view model);

}  // namespace crv::io
