#include "crv/core/serde.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <cmath>

#include "core/data.h"
#include "core/refusal.h"
#include "core/utf8.h"

namespace crv::core {
namespace {

using ::testing::HasSubstr;
using testing::members;
using testing::refusal;

template <class Model>
Model read(std::string_view json) {
  return from_json<Model>(members(parse_json(json)));
}

template <class Model>
std::string refused(std::string_view json, ErrorFacts* facts = nullptr) {
  return refusal<SchemaError>(
      ErrorCode::schema_rule, [&] { read<Model>(json); }, facts);
}

TEST(Serde, AModelGoesToJsonAndBack) {
  const std::string json =
      R"({"edits":[{"operation":"set_identity_edge_weight","edge_kind":"self_to_agent","subject_id":"a",)"
      R"("object_id":null,"related_agent_id":null,"token_id":null,"new_weight":0.5,"delta_weight":null,)"
      R"("scope_selector":null,"decay_lambda":null}],"energy_delta":null})";
  const auto patch = read<RepresentationPatch>(json);
  EXPECT_EQ(patch.edits.at(0).new_weight, 0.5);
  EXPECT_EQ(patch.edits.at(0).object_id, std::nullopt);
  EXPECT_EQ(write_json(to_json(patch)), json);
}

TEST(Serde, WhatIsNotGivenHasItsDefault) {
  const auto row =
      read<MessageRow>(R"({"tick":1,"sender_agent_id":"a","channel_name":"c","visibility_scope":"DM",)"
                       R"("audience":{"to":["b"]},"speech_act":"ask","topic_label":"t"})");
  EXPECT_EQ(row.visibility_scope, "dm");
  EXPECT_EQ(row.claims, Json(JsonObject()));
  EXPECT_EQ(row.stance_label, std::nullopt);
}

TEST(Serde, RequiredFieldsMustBeGiven) {
  ErrorFacts facts;
  EXPECT_THAT(refused<HoldingsRow>(R"({"tick":1,"agent_id":"a","quantity":1})", &facts),
              HasSubstr("HoldingsRow requires token_id"));
  EXPECT_EQ(facts.column, "token_id");
  EXPECT_THAT(refused<RepresentationPatch>(R"({"edits":[{"operation":"remove_identity_edge"}]})"),
              HasSubstr("GraphEdit requires edits[0].edge_kind"));
}

TEST(Serde, UnknownFieldsAreRefusedBucketToo) {
  EXPECT_THAT(refused<HoldingsRow>(R"({"tick":1,"agent_id":"a","token_id":"t","quantity":1,"bucket":0})"),
              HasSubstr("HoldingsRow has no field bucket"));
  EXPECT_THAT(refused<AffectState>(R"({"joy":1})"), HasSubstr("AffectState has no field joy"));
}

std::string holdings(const std::string& quantity) {
  return R"({"tick":1,"agent_id":"a","token_id":"t","quantity":)" + quantity + "}";
}

TEST(Serde, IntegersAreTakenFromWhatIsOne) {
  for (const char* seven : {"7", "7.0", "\"7\"", "\"7.0\"", "\"+7\"", "\" 7 \""}) {
    EXPECT_EQ(read<HoldingsRow>(holdings(seven)).quantity, 7) << seven;
  }
  EXPECT_EQ(read<HoldingsRow>(holdings("true")).quantity, 1);
  EXPECT_EQ(read<HoldingsRow>(holdings("\"1_000.0\"")).quantity, 1000);
  for (const char* bad : {"7.5", "\"x\"", "\"\"", "\"7.5\"", "\"7x\"", "\"+-7\"", "null", "[7]",
                          "9223372036854775808", "1e300", "9223372036854775808.0", "NaN",
                          "\"9223372036854775808\"", "\"7.\"", "\"1__0\"", "\"_1\"", "\"1_\""}) {
    EXPECT_THAT(refused<HoldingsRow>(holdings(bad)), HasSubstr("quantity must be an integer of 64 bits"))
        << bad;
  }
}

std::string score(const std::string& value) {
  return R"({"action_type":"gift_token","key":"k","score":)" + value + "}";
}

TEST(Serde, FloatsAreTakenFromEveryNumber) {
  for (const char* two : {"2", "2.0", "\"2\"", "\"2e0\"", "\" +2 \""}) {
    EXPECT_EQ(read<ActionCandidate>(score(two)).score, 2.0) << two;
  }
  EXPECT_EQ(read<ActionCandidate>(score("true")).score, 1.0);
  EXPECT_EQ(read<ActionCandidate>(score("\"-inf\"")).score, -HUGE_VAL);
  EXPECT_TRUE(std::isnan(read<ActionCandidate>(score("NaN")).score));
  EXPECT_EQ(read<ActionCandidate>(score("123456789012345678901234567890")).score, 1.2345678901234568e+29);
  for (const char* bad : {"\"x\"", "\"\"", "\"2 3\"", "null", "{}", "\"nan(1)\"", "\"2_\""}) {
    EXPECT_THAT(refused<ActionCandidate>(score(bad)), HasSubstr("score must be a number")) << bad;
  }
}

TEST(Serde, BoolsAreTakenFromTheUsualWords) {
  for (const char* yes : {"true", "1", "1.0", "\"yes\"", "\"TRUE\"", "\"on\""}) {
    EXPECT_TRUE(read<DecisionHead>(std::string(R"({"abstain":)") + yes + "}").abstain) << yes;
  }
  for (const char* no : {"false", "0", "\"No\"", "\"off\"", "\"f\""}) {
    EXPECT_FALSE(read<DecisionHead>(std::string(R"({"abstain":)") + no + "}").abstain) << no;
  }
  for (const char* bad : {"2", "0.5", "\"maybe\"", "null"}) {
    EXPECT_THAT(refused<DecisionHead>(std::string(R"({"abstain":)") + bad + "}"), HasSubstr("true or false"))
        << bad;
  }
}

TEST(Serde, TextObjectsAndListsAreTakenAsTheyAreOnly) {
  EXPECT_THAT(refused<Persona>(R"({"persona_id":1,"label":"x"})"),
              HasSubstr("persona_id must be text, not 1"));
  EXPECT_THAT(refused<Persona>(R"({"persona_id":"1","label":"x","traits":[]})"),
              HasSubstr("traits must be an object"));
  EXPECT_THAT(refused<Utterance>(R"({"act":"a","topic":"t","claims":{}})"),
              HasSubstr("claims must be a list"));
  EXPECT_THAT(refused<Utterance>(R"({"act":"a","topic":"t","claims":[{},1]})"),
              HasSubstr("claims[1] must be an object, not 1"));
  EXPECT_THAT(refused<Utterance>(R"({"act":"a","topic":"t","audience":["b",null]})"),
              HasSubstr("audience[1] must be text"));
}

TEST(Serde, AValueThatIsShownInPartEndsWithAWholeCharacter) {
  for (const char* before : {"", "x"}) {
    std::string text = before;
    for (int i = 0; i < 100; ++i) text += "\u00fc";
    const std::string message = refused<Persona>(R"({"label":"x","persona_id":[")" + text + R"("]})");
    EXPECT_TRUE(is_utf8(message)) << message;
    EXPECT_THAT(message, HasSubstr("..."));
  }
}

TEST(Serde, TheRulesAreCheckedToo) {
  EXPECT_THAT(refused<AffectState>(R"({"stress":2})"), HasSubstr("AffectState.stress must be at least 0"));
}

}  // namespace
}  // namespace crv::core
