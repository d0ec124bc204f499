#include "crv/core/descriptor.h"

#include <gtest/gtest.h>

#include "core/data.h"
#include "crv/core/grammar.h"

namespace crv::core {
namespace {

using testing::at;
using testing::items;
using testing::load_data;
using testing::text;

// A descriptor in the form of the catalogue that the tests compare with.
Json describe(const TableDescriptor& table) {
  JsonArray columns, nullable;
  for (const ColumnDescriptor& column : table.columns) {
    columns.push_back(JsonObject{{"name", column.name}, {"dtype", text_of(column.type)}});
    if (!column.required) nullable.emplace_back(column.name);
  }
  return JsonObject{{"name", table.name},
                    {"columns", columns},
                    {"required", JsonArray(table.required_order.begin(), table.required_order.end())},
                    {"nullable", nullable},
                    {"version", JsonObject{{"major", table.version.major},
                                           {"minor", table.version.minor},
                                           {"date", table.version.date}}}};
}

TEST(Tables, AreThoseOfTheContractInOrder) {
  const Json data = load_data("table_catalog.json");
  const JsonArray& expected = items(at(data, "tables"));
  ASSERT_EQ(list_tables().size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const Json ours = describe(list_tables()[i]);
    for (const char* key : {"name", "columns", "required", "nullable", "version"}) {
      EXPECT_EQ(write_json(at(ours, key)), write_json(at(expected[i], key))) << list_tables()[i].name;
    }
    EXPECT_EQ(member_name(*from_value<TableName>(list_tables()[i].name)),
              text(at(expected[i], "enum_member")));
  }
}

TEST(Tables, TheRequiredColumnsAreThoseMarkedSo) {
  for (const TableDescriptor& table : list_tables()) {
    std::size_t required = 0;
    for (const ColumnDescriptor& column : table.columns) required += column.required ? 1 : 0;
    EXPECT_EQ(required, table.required_order.size()) << table.name;
    for (const std::string& name : table.required_order) {
      ASSERT_NE(table.find(name), nullptr) << name;
      EXPECT_TRUE(table.find(name)->required) << name;
    }
  }
}

TEST(Tables, EveryTableAndColumnIsDocumented) {
  for (const TableDescriptor& table : list_tables()) {
    EXPECT_NE(table.doc, "") << table.name;
    for (const ColumnDescriptor& column : table.columns) EXPECT_NE(column.doc, "") << column.name;
  }
}

TEST(Tables, AreFoundByNameOnly) {
  ASSERT_NE(find_table("holdings"), nullptr);
  EXPECT_EQ(find_table("holdings"), &list_tables()[6]);
  EXPECT_EQ(find_table("holdings")->find("quantity")->type, plain_type(Type::Kind::i64));
  EXPECT_EQ(find_table("holdings")->find("price"), nullptr);
  for (const char* name : {"", "Holdings", "HOLDINGS", "holdings ", "nonsense"}) {
    EXPECT_EQ(find_table(name), nullptr);
    EXPECT_EQ(find_stored_table(name), nullptr);
  }
}

TEST(Tables, OfCrvsOwnAreStoredButNotCanonical) {
  ASSERT_EQ(list_internal_tables().size(), 1U);
  EXPECT_EQ(list_internal_tables()[0].name, "quarantine");
  EXPECT_EQ(find_table("quarantine"), nullptr);
  EXPECT_EQ(find_stored_table("quarantine"), &list_internal_tables()[0]);
  EXPECT_EQ(find_stored_table("holdings"), find_table("holdings"));
  EXPECT_EQ(from_value<TableName>("quarantine"), std::nullopt);
}

}  // namespace
}  // namespace crv::core
