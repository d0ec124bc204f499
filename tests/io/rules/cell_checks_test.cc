#include "io/rules/cell_checks.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "crv/core/descriptor.h"
#include "crv/core/grammar.h"
#include "crv/core/rules.h"

namespace crv::io {
namespace {

void expect_each_found(const std::vector<std::string>& words) {
  const Words set(words);
  for (std::size_t i = 0; i < words.size(); ++i) {
    EXPECT_EQ(set.index_of(words[i]), static_cast<std::ptrdiff_t>(i)) << words[i];
    EXPECT_EQ(set.index_of(words[i] + "_"), -1);
    EXPECT_EQ(set.index_of(words[i].substr(1)), -1);
  }
  EXPECT_EQ(set.index_of(""), -1);
  EXPECT_EQ(set.index_of("nonsense"), -1);
}

TEST(Words, OfTheCatalogAreFoundByTheirIndex) {
  for (const core::ModelRules& model : core::list_model_rules()) {
    for (const core::FieldRule& field : model.fields) expect_each_found(field.allowed);
  }
  for (const core::TableDescriptor& table : core::list_tables()) {
    for (const core::ColumnDescriptor& column : table.columns) expect_each_found(column.rule.allowed);
  }
}

TEST(Words, ThatNoSlotKeepsApartAreFoundToo) {
  expect_each_found({"a1bbbbbbbbbz", "a2bbbbbbbbbz", "a3bbbbbbbbbz"});
}

}  // namespace
}  // namespace crv::io
