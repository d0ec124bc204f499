#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <regex>
#include <set>

#include "core/data.h"
#include "core/refusal.h"
#include "crv/core/grammar.h"

namespace crv::core {
namespace {

using testing::at;
using ::testing::ElementsAre;
using testing::flag;
using ::testing::HasSubstr;
using testing::items;
using testing::load_data;
using testing::members;
using testing::refusal;
using testing::text;

JsonArray to_array(const std::vector<std::string>& texts) {
  return JsonArray(texts.begin(), texts.end());
}

TEST(Ebnf, HasTheContractsProductionsInOrder) {
  JsonArray names;
  for (const GrammarProduction& production : parsed_grammar().productions())
    names.emplace_back(production.name);
  EXPECT_EQ(names.size(), 89u);
  EXPECT_EQ(Json(names), at(load_data("grammar_productions.json"), "production_order"));
}

TEST(Ebnf, EveryProductionIsReadAsTheContractSays) {
  const Json data = load_data("grammar_productions.json");
  std::size_t seen = 0;
  for (const auto& [name, expected] : members(at(data, "parsed"))) {
    const GrammarProduction& production = parsed_grammar().production(name);
    EXPECT_EQ(Json(static_cast<int>(production.alternatives.size())), at(expected, "alternatives")) << name;
    EXPECT_EQ(Json(to_array(production.leading_terminals)), at(expected, "leading_terminals")) << name;
    EXPECT_EQ(Json(to_array(production.lower_snake_terminals())), at(expected, "lower_snake_terminals"))
        << name;
    ++seen;
  }
  EXPECT_EQ(seen, parsed_grammar().productions().size());
}

struct Param {
  std::string name;
  bool optional;
  bool operator==(const Param&) const = default;
};

// The parameters of a call `"name" , "(" , a , "," , b , [ "," , c ] , ")"`.
std::vector<Param> parameters_of(const std::string& name, const std::string& call) {
  const std::regex shape("\"(\\w+)\" , \"\\(\" , (.*) , \"\\)\"");
  const std::string line = std::regex_replace(call, std::regex("\\s+"), " ");
  std::smatch match;
  EXPECT_TRUE(std::regex_match(line, match, shape)) << line;
  EXPECT_EQ(match[1], name);
  const std::string body = "\",\" , " + match[2].str();
  const std::regex argument("(?: , )?(?:\\[ \",\" , (\\w+) \\]|\",\" , (\\w+))");
  std::vector<Param> params;
  std::size_t covered = 0;
  for (std::sregex_iterator it(body.begin(), body.end(), argument), end; it != end; ++it) {
    const bool optional = (*it)[1].matched;
    params.push_back({(*it)[optional ? 1 : 2], optional});
    covered += static_cast<std::size_t>(it->length());
  }
  EXPECT_EQ(covered, body.size()) << "something else stands between the arguments of " << line;
  return params;
}

TEST(Ebnf, CallsHaveTheContractsSignatures) {
  const Json data = load_data("grammar_productions.json");
  for (const auto& [name, signature] : members(at(data, "call_signatures"))) {
    std::vector<Param> expected;
    for (const Json& param : items(at(signature, "params"))) {
      expected.push_back({text(at(param, "name")), flag(at(param, "optional"))});
    }
    const GrammarProduction& production = parsed_grammar().production(text(at(signature, "production")));
    std::string call;
    for (const std::string& alternative : production.alternatives) {
      if (alternative.starts_with("\"" + name + "\"")) call = alternative;
    }
    EXPECT_TRUE(parameters_of(name, call) == expected) << call;
  }
}

TEST(Ebnf, ParametersAreOfTheContractsKinds) {
  const Json data = load_data("grammar_productions.json");
  for (const auto& [kind, names] : members(at(data, "parameter_terminal_kind"))) {
    for (const Json& name : items(names)) {
      EXPECT_EQ(parsed_grammar().production(text(name)).expression, kind) << text(name);
    }
  }
}

TEST(Ebnf, EveryNameThatIsUsedIsDefinedAndTwentyFiveAreNeverUsed) {
  const std::regex quoted("\"\\\\\\\\\"|'\"'|\"[^\"]*\"|\\?[^?]*\\?"), word("[A-Za-z_]\\w*");
  std::set<std::string> used;
  for (const GrammarProduction& production : parsed_grammar().productions()) {
    const std::string bare = std::regex_replace(production.expression, quoted, " ");
    for (std::sregex_iterator it(bare.begin(), bare.end(), word), end; it != end; ++it) {
      EXPECT_NE(parsed_grammar().find(it->str()), nullptr) << it->str() << " in " << production.name;
      used.insert(it->str());
    }
  }
  EXPECT_EQ(parsed_grammar().productions().size() - used.size(), 25u);
}

TEST(Ebnf, UnknownProductionIsRefused) {
  EXPECT_EQ(parsed_grammar().find("nonsense"), nullptr);
  EXPECT_THAT(refusal<GrammarError>(ErrorCode::grammar, [] { parsed_grammar().production("nonsense"); }),
              HasSubstr("no production `nonsense`"));
}

TEST(ParsedGrammar, RulesBeginAtALineAndEndAtTheNextSemicolon) {
  const auto grammar =
      ParsedGrammar::from_text("a = b ; not_a_rule = c ;\n  d\n=\n 'x;y' ;\n1e = f ;\n g = h");
  ASSERT_EQ(grammar.productions().size(), 2u);
  EXPECT_EQ(grammar.production("a").expression, "b");
  EXPECT_EQ(grammar.production("d").expression, "'x");
}

TEST(ParsedGrammar, CommentsAreBlanksEvenWhereTheyHoldQuotes) {
  const auto grammar = ParsedGrammar::from_text("(* a = 'x ; *)b(* \n *)= \"y\" (* | *) ;");
  ASSERT_EQ(grammar.productions().size(), 1u);
  EXPECT_EQ(grammar.production("b").expression, "\"y\"");
}

TEST(ParsedGrammar, ALaterRuleOfTheSameNameCounts) {
  const auto grammar = ParsedGrammar::from_text("a = \"x\" ;\nb = c ;\na = \"y\" | \"z\" ;");
  ASSERT_EQ(grammar.productions().size(), 2u);
  EXPECT_EQ(grammar.productions()[0].name, "a");
  EXPECT_THAT(grammar.production("a").leading_terminals, ElementsAre("y", "z"));
}

TEST(ParsedGrammar, AlternativesAreSplitOutsideQuotesAndBrackets) {
  const auto grammar =
      ParsedGrammar::from_text("a = \"|\" | ( b | c ) | [ d | { e | f } ] | '\\'|' | ) g | | \"|\" ;");
  EXPECT_THAT(grammar.production("a").alternatives,
              ElementsAre("\"|\"", "( b | c )", "[ d | { e | f } ]", "'\\'|'", ") g", "\"|\""));
  EXPECT_THAT(grammar.production("a").leading_terminals, ElementsAre("|", "\\"));
}

std::string grammar_with(const std::string& from, const std::string& to) {
  std::string changed(ebnf_grammar());
  changed.replace(changed.find(from), from.size(), to);
  return changed;
}

std::string check(const std::string& grammar) {
  return refusal<GrammarError>(ErrorCode::grammar, [&] { check_grammar(ParsedGrammar::from_text(grammar)); });
}

TEST(GrammarCheck, AcceptsOurOwn) {
  EXPECT_EQ(check(std::string(ebnf_grammar())), "accepted");
}

TEST(GrammarCheck, SaysHowGrammarAndEnumDiffer) {
  EXPECT_THAT(
      check(grammar_with("  | \"gift_token\"\n", "")),
      HasSubstr(
          "action_request and the enum ActionKind must list the same values in the same order; missing: "
          "gift_token"));
  EXPECT_THAT(check(grammar_with("  | \"gift_token\"\n", "  | \"gift_token\"\n  | \"steal_token\"\n")),
              HasSubstr("; unexpected: steal_token"));
  EXPECT_THAT(check(grammar_with("\"acquire_token\"\n  | \"relinquish_token\"",
                                 "\"relinquish_token\"\n  | \"acquire_token\"")),
              HasSubstr("; their order differs"));
  EXPECT_THAT(check(grammar_with("| \"remove_identity_edge\"", "| \"drop_identity_edge\"")),
              HasSubstr("patch_edit and the enum PatchOp"));
  EXPECT_THAT(check("a = b ;"), HasSubstr("no production `action_request`"));
}

}  // namespace
}  // namespace crv::core
