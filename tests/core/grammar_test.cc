#include "crv/core/grammar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <cmath>

#include "core/data.h"
#include "core/refusal.h"

namespace crv::core {
namespace {

using ::testing::AllOf;
using testing::at;
using testing::flag;
using ::testing::HasSubstr;
using testing::items;
using testing::load_data;
using testing::members;
using testing::refusal;
using testing::text;

TEST(LowerSnake, AgreesWithTheVectors) {
  const Json vectors = load_data("hash_vectors.json");
  for (const Json& vector : items(at(vectors, "lower_snake"))) {
    EXPECT_EQ(is_lower_snake(text(at(vector, "s"))), flag(at(vector, "lower_snake")))
        << text(at(vector, "s"));
  }
}

TEST(LowerSnake, RefusesATrailingNewline) {
  EXPECT_FALSE(is_lower_snake("abc\n"));
}

TEST(LowerSnake, AssertNamesWhatAndTheText) {
  EXPECT_NO_THROW(assert_lower_snake("a_b", "topic"));
  EXPECT_THAT(refusal<GrammarError>(ErrorCode::grammar, [] { assert_lower_snake("A b", "topic"); }),
              AllOf(HasSubstr("topic must be lower_snake"), HasSubstr("`A b`")));
}

TEST(Enums, HoldTheContractsNamesAndValuesInOrder) {
  const Json expected = load_data("grammar_enums.json");
  JsonObject ours;
  for (const EnumDescriptor& descriptor : list_enums()) {
    Json& values = ours[descriptor.name] = JsonObject();
    for (const auto& member : descriptor.members) {
      values.get_if<JsonObject>()->push_back(std::string(member.name), Json(member.value));
    }
  }
  EXPECT_EQ(write_json(ours, {.indent = 1}), write_json(expected, {.indent = 1}));
}

TEST(Enums, LookUpBothWays) {
  EXPECT_EQ(value_of(ActionKind::DECLARE_COOCCURRENCE), "declare_cooccurrence_between_tokens");
  EXPECT_EQ(member_name(ActionKind::PUBLISH_VOTE_OUTCOME), "PUBLISH_VOTE_OUTCOME");
  EXPECT_EQ(from_value<Visibility>("dm"), Visibility::DM);
  EXPECT_EQ(from_name<Visibility>("DM"), Visibility::DM);
  EXPECT_EQ(from_value<Visibility>("DM"), std::nullopt);
  EXPECT_EQ(from_value<Visibility>(" dm"), std::nullopt);
  EXPECT_EQ(from_name<Visibility>("dm"), std::nullopt);
  for (const auto& entry : EnumTable<RepresentationEdgeKind>::members) {
    EXPECT_EQ(from_value<RepresentationEdgeKind>(value_of(entry.member)), entry.member);
    EXPECT_EQ(from_name<RepresentationEdgeKind>(member_name(entry.member)), entry.member);
  }
}

TEST(Enums, KindsFromValuesAreExact) {
  EXPECT_EQ(action_kind_from_value("gift_token"), ActionKind::GIFT_TOKEN);
  EXPECT_EQ(exchange_kind_from_value("vote_outcome"), ExchangeKind::VOTE_OUTCOME);
  EXPECT_EQ(edge_kind_from_value("object_to_object"), RepresentationEdgeKind::OBJECT_TO_OBJECT);
  const auto of_action = [](const char* value) {
    return refusal<GrammarError>(ErrorCode::grammar, [&] { action_kind_from_value(value); });
  };
  EXPECT_THAT(of_action("Gift_Token"), HasSubstr("action_type must be lower_snake"));
  EXPECT_THAT(of_action("gift_token\n"), HasSubstr("action_type must be lower_snake"));
  EXPECT_THAT(of_action("trade"),
              HasSubstr("action_type must be one of accept_peer_exchange, acquire_token"));
  EXPECT_THAT(refusal<GrammarError>(ErrorCode::grammar, [] { exchange_kind_from_value("bid"); }),
              HasSubstr("exchange_event_type"));
  EXPECT_THAT(refusal<GrammarError>(ErrorCode::grammar, [] { edge_kind_from_value("knows"); }),
              HasSubstr("edge_kind"));
}

TEST(Enums, EveryValueIsLowerSnakeAndABadOneIsNamed) {
  EXPECT_NO_THROW(ensure_all_enum_values_lower_snake());
  const std::vector<EnumDescriptor> bad = {{"Good", {{"A", "a"}}}, {"Bad", {{"B", "b"}, {"C", "C-c"}}}};
  EXPECT_THAT(refusal<GrammarError>(ErrorCode::grammar, [&] { ensure_all_enum_values_lower_snake(bad); }),
              AllOf(HasSubstr("Bad.C"), HasSubstr("`C-c`")));
}

TEST(Normalize, FoldsCaseAndListsWhatIsAllowed) {
  EXPECT_EQ(normalize_visibility("PuBLic"), "public");
  EXPECT_EQ(normalize_channel_type("DM"), "dm");
  for (const char* bad : {"", " dm", "dm ", "none", "everyone"}) {
    EXPECT_THAT(refusal<GrammarError>(ErrorCode::grammar, [&] { normalize_visibility(bad); }),
                HasSubstr("visibility_scope must be one of dm, group, public, room"));
    EXPECT_THAT(refusal<GrammarError>(ErrorCode::grammar, [&] { normalize_channel_type(bad); }),
                HasSubstr("channel_type must be one of dm, group, public, room"));
  }
}

TEST(ActionKey, AgreesWithTheVectors) {
  const Json vectors = load_data("hash_vectors.json");
  for (const Json& vector : items(at(vectors, "canonical_action_key_gift_token"))) {
    EXPECT_EQ(canonical_action_key(ActionKind::GIFT_TOKEN, members(at(vector, "params"))),
              text(at(vector, "key")));
  }
}

TEST(ActionKey, EscapesWhatWouldBeReadAsItsOwnSigns) {
  EXPECT_EQ(canonical_action_key(ActionKind::GIFT_TOKEN, {{"a", "1|b=2"}}), "gift_token:a=1\\|b\\=2");
  EXPECT_EQ(canonical_action_key(ActionKind::GIFT_TOKEN, {{"a", "1"}, {"b", "2"}}), "gift_token:a=1|b=2");
  EXPECT_EQ(canonical_action_key(ActionKind::GIFT_TOKEN, {{"a\\", "x"}, {"b=", "\\|"}}),
            "gift_token:a\\\\=x|b\\==\\\\\\|");
}

TEST(ActionKey, WritesEveryKindOfValue) {
  EXPECT_EQ(
      canonical_action_key(ActionKind::SWAP_AT_VENUE, {{"big", BigInt{"123456789012345678901"}},
                                                       {"f", false},
                                                       {"inf", HUGE_VAL},
                                                       {"list", JsonArray{1, "a"}},
                                                       {"neg", -HUGE_VAL},
                                                       {"obj", JsonObject{{"b", 1}, {"a", 2}}},
                                                       {"x", 1e16}}),
      "swap_at_venue:big=123456789012345678901|f=False|inf=inf|list=[1,\"a\"]|neg=-inf|obj={\"a\":2,\"b\":1}|"
      "x=1e+16");
}

}  // namespace
}  // namespace crv::core
