#include "core/utf8.h"

#include "core/rapidjson.h"

namespace crv {
namespace {

struct Nowhere {
  void Put(char) {}
};

}  // namespace

bool is_utf8(std::string_view text) {
  rapidjson::MemoryStream in(text.data(), text.size());
  Nowhere out;
  while (in.Tell() < text.size()) {
    if (!rapidjson::UTF8<>::Validate(in, out)) return false;
  }
  return true;
}

}  // namespace crv
