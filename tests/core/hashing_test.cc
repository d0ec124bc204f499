#include "crv/core/hashing.h"

#include <gtest/gtest.h>
#include <cmath>

#include "core/data.h"
#include "crv/core/error.h"

namespace crv::core {
namespace {

using testing::at;
using testing::items;
using testing::load_data;
using testing::text;

TEST(Hashing, AgreesWithTheVectors) {
  const Json vectors = load_data("hash_vectors.json");
  for (const Json& vector : items(at(vectors, "canonical_json"))) {
    const Json value = parse_json(text(at(vector, "input_json")));
    EXPECT_EQ(canonical_json(value), text(at(vector, "canonical")));
    EXPECT_EQ(sha256_hex(canonical_json(value)), text(at(vector, "sha256")));
    if (const auto* object = value.get_if<JsonObject>()) {
      EXPECT_EQ(hash_row(*object), text(at(vector, "sha256")));
      EXPECT_EQ(hash_context(*object), text(at(vector, "sha256")));
      EXPECT_EQ(hash_state(*object), text(at(vector, "sha256")));
    }
  }
}

TEST(Hashing, NumbersThatAreNoneAreWrittenAsPythonDoes) {
  // What Python's hashlib says of {"a":NaN,"b":-Infinity}.
  EXPECT_EQ(hash_row({{"b", -HUGE_VAL}, {"a", std::nan("")}}),
            "633ef48881929fe9d89419d863a0ff998a6e5e8fd6273dd001da08ffd435cf05");
}

TEST(Hashing, OfAStructIsThatOfItsFields) {
  const HoldingsRow row{.tick = 3, .agent_id = "a", .token_id = "t", .quantity = 5};
  EXPECT_EQ(hash_row(row), hash_row({{"quantity", 5}, {"token_id", "t"}, {"agent_id", "a"}, {"tick", 3}}));
}

TEST(Hashing, TextThatIsNotUtf8IsRefused) {
  EXPECT_THROW(hash_row({{"a", "\xff"}}), SchemaError);
}

}  // namespace
}  // namespace crv::core
