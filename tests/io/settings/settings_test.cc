#include "crv/io/settings.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crv/core/error.h"
#include "io/settings/settings_fields.h"
#include "io/support/sim_os.h"

namespace crv::io {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Each test works in an empty folder of its own, since loaders look into the working directory.
class SettingsTest : public testing::Test {
 protected:
  void SetUp() override {
    before_ = fs::current_path();
    std::string name = (fs::temp_directory_path() / "crv-settings-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    fs::current_path(folder_);
  }
  void TearDown() override {
    fs::current_path(before_);
    fs::remove_all(folder_);
  }

  static void write(const std::string& name, const std::string& text) {
    fs::create_directories(fs::absolute(name).parent_path());
    std::ofstream(name, std::ios::binary) << text;
  }

  fs::path folder_, before_;
};

std::string origin_of(const LoadedSettings& loaded, const std::string& key) {
  for (const auto& origin : loaded.origins) {
    if (origin.key == key) return origin.origin;
  }
  return "no such field";
}

std::string value_of(const LoadedSettings& loaded, const std::string& key) {
  for (const auto& origin : loaded.origins) {
    if (origin.key == key) return origin.value;
  }
  return "no such field";
}

template <class Call>
std::optional<IoConfigError> refusal(Call call) {
  try {
    call();
  } catch (const IoConfigError& error) {
    return error;
  }
  return std::nullopt;
}

// Asserts that the text is refused, and that the error names what a person needs to mend it.
void expect_refused(const std::string& toml, ErrorCode code, const std::string& key,
                    const std::string& value) {
  SCOPED_TRACE(toml);
  std::ofstream("given.toml") << toml;
  const auto error = refusal([] { settings_from_toml("given.toml"); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), code);
  EXPECT_EQ(error->facts().path, "given.toml");
  EXPECT_EQ(error->facts().key, key);
  EXPECT_EQ(error->facts().value, value);
  EXPECT_THAT(error->what(), HasSubstr("given.toml"));
  EXPECT_THAT(error->what(), HasSubstr(key));
  EXPECT_THAT(error->what(), HasSubstr(value));
}

void expect_variable_refused(const std::string& variable, const std::string& key, const std::string& value) {
  SCOPED_TRACE(variable + "=" + value);
  const auto error = refusal([&] { settings_from_env({}, "CRV_IO_", {{variable, value}}); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::config_value);
  EXPECT_EQ(error->facts().key, key);
  EXPECT_EQ(error->facts().value, value);
  EXPECT_THAT(error->what(), HasSubstr(variable));
  EXPECT_THAT(error->what(), HasSubstr(value));
}

TEST_F(SettingsTest, DefaultsAreTheContracts) {
  const LoadedSettings loaded = load_settings({}, {});
  const IoSettings& s = loaded.settings;
  EXPECT_EQ(s, IoSettings{});
  EXPECT_EQ(s.root_dir, "out");
  EXPECT_EQ(s.partitioning, "tick_buckets");
  EXPECT_EQ(s.tick_bucket_size, 100);
  EXPECT_EQ(s.row_group_size, 131072);
  EXPECT_EQ(s.compression, Compression::zstd);
  EXPECT_EQ(s.fs_protocol, "file");
  EXPECT_TRUE(s.fs_options.empty());
  EXPECT_TRUE(s.strict_schema);
  EXPECT_EQ(s.write_manifest_every_n, 1);
  EXPECT_FALSE(s.valuation.enabled);
  EXPECT_EQ(s.valuation.vwap_window_ticks, 10);
  EXPECT_EQ(s.durability, Durability::commit);
  EXPECT_THAT(loaded.warnings, IsEmpty());
}

TEST_F(SettingsTest, OriginsListEveryFieldInOrderWithItsValue) {
  const LoadedSettings loaded = load_settings({}, {});
  std::vector<std::string> keys;
  for (const auto& origin : loaded.origins) {
    keys.push_back(origin.key);
    EXPECT_EQ(origin.origin, "default") << origin.key;
  }
  EXPECT_THAT(keys,
              ElementsAre("root_dir", "partitioning", "tick_bucket_size", "row_group_size", "compression",
                          "fs_protocol", "fs_options", "strict_schema", "write_manifest_every_n",
                          "valuation.enabled", "valuation.cost_method", "valuation.price_source",
                          "valuation.vwap_window_ticks", "valuation.currency", "durability"));
  EXPECT_EQ(value_of(loaded, "tick_bucket_size"), "100");
  EXPECT_EQ(value_of(loaded, "strict_schema"), "true");
  EXPECT_EQ(value_of(loaded, "compression"), "zstd");
  EXPECT_EQ(value_of(loaded, "fs_options"), "{}");
}

TEST_F(SettingsTest, EnvironmentWinsOverTomlWinsOverDefaultsFieldByField) {
  write("crv.toml",
        "[io]\nroot_dir = 'from_file'\ntick_bucket_size = 7\n[io.valuation]\ncurrency = 'eur'\nenabled = "
        "true\n");
  const LoadedSettings loaded =
      load_settings({}, {{"CRV_IO_TICK_BUCKET_SIZE", "9"}, {"CRV_IO_VALUATION_CURRENCY", "usd"}});
  IoSettings expected;
  expected.root_dir = "from_file";
  expected.tick_bucket_size = 9;
  expected.valuation.enabled = true;
  expected.valuation.currency = "usd";
  EXPECT_EQ(loaded.settings, expected);
  EXPECT_EQ(origin_of(loaded, "root_dir"), "crv.toml");
  EXPECT_EQ(origin_of(loaded, "tick_bucket_size"), "CRV_IO_TICK_BUCKET_SIZE");
  EXPECT_EQ(origin_of(loaded, "valuation.enabled"), "crv.toml");
  EXPECT_EQ(origin_of(loaded, "valuation.currency"), "CRV_IO_VALUATION_CURRENCY");
  EXPECT_EQ(origin_of(loaded, "compression"), "default");
  EXPECT_EQ(value_of(loaded, "tick_bucket_size"), "9");
}

TEST_F(SettingsTest, EveryFieldCanBeSetInTomlAndAllButOptionsInTheEnvironment) {
  IoSettings expected;
  expected.root_dir = "elsewhere";
  expected.tick_bucket_size = 5;
  expected.row_group_size = 6;
  expected.compression = Compression::snappy;
  expected.strict_schema = false;
  expected.write_manifest_every_n = 7;
  expected.valuation = {true, CostMethod::specific_lot, PriceSource::vwap_window, 8, "eur"};
  expected.durability = Durability::none;
  const Environment environment = {{"CRV_IO_ROOT_DIR", "elsewhere"},
                                   {"CRV_IO_PARTITIONING", "tick_buckets"},
                                   {"CRV_IO_TICK_BUCKET_SIZE", "5"},
                                   {"CRV_IO_ROW_GROUP_SIZE", "6"},
                                   {"CRV_IO_COMPRESSION", "snappy"},
                                   {"CRV_IO_FS_PROTOCOL", "file"},
                                   {"CRV_IO_STRICT_SCHEMA", "no"},
                                   {"CRV_IO_WRITE_MANIFEST_EVERY_N", "7"},
                                   {"CRV_IO_VALUATION_ENABLED", "yes"},
                                   {"CRV_IO_VALUATION_COST_METHOD", "specific_lot"},
                                   {"CRV_IO_VALUATION_PRICE_SOURCE", "vwap_window"},
                                   {"CRV_IO_VALUATION_VWAP_WINDOW_TICKS", "8"},
                                   {"CRV_IO_VALUATION_CURRENCY", "eur"},
                                   {"CRV_IO_DURABILITY", "none"}};
  const LoadedSettings from_env = settings_from_env({}, "CRV_IO_", environment);
  EXPECT_EQ(from_env.settings, expected);
  EXPECT_THAT(from_env.warnings, IsEmpty());

  expected.fs_options = {{"endpoint", "here"}, {"depth", JsonObject{{"a", JsonArray{1, 2.5, true}}}}};
  write("my.toml",
        "root_dir = 'elsewhere'\npartitioning = 'tick_buckets'\ntick_bucket_size = 5\nrow_group_size = 6\n"
        "compression = 'snappy'\nfs_protocol = 'file'\nstrict_schema = false\nwrite_manifest_every_n = 7\n"
        "durability = 'none'\n[fs_options]\nendpoint = 'here'\ndepth = {a = [1, 2.5, true]}\n[valuation]\n"
        "enabled = true\ncost_method = 'specific_lot'\nprice_source = 'vwap_window'\nvwap_window_ticks = 8\n"
        "currency = 'eur'\n");
  EXPECT_EQ(settings_from_toml("my.toml").settings, expected);
}

TEST_F(SettingsTest, ValuesAreTakenInTheFormsThatPeopleWrite) {
  const auto integer = [](const std::string& toml) {
    std::ofstream("given.toml") << "tick_bucket_size = " << toml;
    return settings_from_toml("given.toml").settings.tick_bucket_size;
  };
  EXPECT_EQ(integer("64"), 64);
  EXPECT_EQ(integer("1_000"), 1000);
  EXPECT_EQ(integer("'64'"), 64);
  EXPECT_EQ(integer("' 7 '"), 7);
  EXPECT_EQ(integer("'+7'"), 7);
  EXPECT_EQ(integer("64.0"), 64);
  EXPECT_EQ(integer("9223372036854775807"), 9223372036854775807);
  const auto flag = [](const std::string& text) {
    return settings_from_env({}, "X_", {{"X_STRICT_SCHEMA", text}}).settings.strict_schema;
  };
  for (const auto* yes : {"1", "true", "T", "YES", "y", " on "}) EXPECT_TRUE(flag(yes)) << yes;
  for (const auto* no : {"0", "false", "F", "No", "n", " OFF"}) EXPECT_FALSE(flag(no)) << no;
  write("number.toml", "strict_schema = 0\n");
  EXPECT_FALSE(settings_from_toml("number.toml").settings.strict_schema);
  const LoadedSettings choice = settings_from_env({}, "X_", {{"X_COMPRESSION", " LZ4 "}});
  EXPECT_EQ(choice.settings.compression, Compression::lz4);
}

TEST_F(SettingsTest, BadValuesInAFileAreRefusedWithFileKeyAndValue) {
  const auto code = ErrorCode::config_value;
  for (const auto* key : {"tick_bucket_size", "row_group_size", "write_manifest_every_n"}) {
    const std::string set = std::string("[io]\n") + key + " = ";
    expect_refused(set + "0", code, key, "0");
    expect_refused(set + "-3", code, key, "-3");
    expect_refused(set + "1.9", code, key, "1.9");
    expect_refused(set + "'abc'", code, key, "abc");
    expect_refused(set + "'7 ticks'", code, key, "7 ticks");
    expect_refused(set + "''", code, key, "");
    expect_refused(set + "1e300", code, key, "1e+300");
    expect_refused(set + "nan", code, key, "NaN");
    expect_refused(set + "'9223372036854775808'", code, key, "9223372036854775808");
    expect_refused(set + "true", code, key, "true");
    expect_refused(set + "2025-09-20", code, key, "2025-09-20");
  }
  expect_refused("[io.valuation]\nvwap_window_ticks = 0", code, "valuation.vwap_window_ticks", "0");
  expect_refused("strict_schema = 'ture'", code, "strict_schema", "ture");
  expect_refused("strict_schema = 2", code, "strict_schema", "2");
  expect_refused("compression = 'gzip'", code, "compression", "gzip");
  expect_refused("compression = 1", code, "compression", "1");
  expect_refused("durability = 'maybe'", code, "durability", "maybe");
  expect_refused("partitioning = 'by_agent'", code, "partitioning", "by_agent");
  expect_refused("fs_protocol = 's3'", code, "fs_protocol", "s3");
  expect_refused("fs_options = 'x'", code, "fs_options", "x");
  expect_refused("root_dir = 5", code, "root_dir", "5");
  expect_refused("valuation = 5", code, "valuation", "5");
  expect_refused("[valuation]\ncost_method = 'guess'", code, "valuation.cost_method", "guess");
  expect_refused("[valuation]\nprice_source = 'guess'", code, "valuation.price_source", "guess");
  expect_refused("[valuation]\ncurrency = 5", code, "valuation.currency", "5");
  expect_refused("io = 5", code, "io", "5");
}

TEST_F(SettingsTest, TextThatNoPathCanHoldIsRefusedReadably) {
  write("crv.toml", "root_dir = \"a\\u0000b\"\n");
  const auto nul = refusal([] { settings_from_toml(); });
  ASSERT_TRUE(nul.has_value());
  EXPECT_THAT(nul->what(), HasSubstr("a\\x00b"));
  const auto bytes = refusal([] { settings_from_env({}, "X_", {{"X_COMPRESSION", "\xff"}}); });
  ASSERT_TRUE(bytes.has_value());
  EXPECT_THAT(bytes->what(), HasSubstr("X_COMPRESSION"));
  const auto root = refusal([] { settings_from_env({}, "X_", {{"X_ROOT_DIR", "caf\xe9"}}); });
  ASSERT_TRUE(root.has_value());
  EXPECT_EQ(root->facts().value, "caf\\xe9");
}

TEST_F(SettingsTest, BadVariablesAreRefusedWithNameAndValue) {
  expect_variable_refused("CRV_IO_TICK_BUCKET_SIZE", "tick_bucket_size", "abc");
  expect_variable_refused("CRV_IO_TICK_BUCKET_SIZE", "tick_bucket_size", "0");
  expect_variable_refused("CRV_IO_ROW_GROUP_SIZE", "row_group_size", "1.9");
  expect_variable_refused("CRV_IO_STRICT_SCHEMA", "strict_schema", "ture");
  expect_variable_refused("CRV_IO_COMPRESSION", "compression", "gzip");
  expect_variable_refused("CRV_IO_FS_PROTOCOL", "fs_protocol", "s3");
  expect_variable_refused("CRV_IO_DURABILITY", "durability", "perhaps");
  expect_variable_refused("CRV_IO_VALUATION_ENABLED", "valuation.enabled", "si");
}

TEST_F(SettingsTest, UnknownKeysOfCrvsOwnTablesAreRefused) {
  const auto code = ErrorCode::config_unknown_key;
  expect_refused("[io]\ntick_bucket_sise = 5", code, "tick_bucket_sise", "5");
  expect_refused("[io]\n[io.other]\na = 1", code, "other", "{\"a\":1}");
  expect_refused("[io.valuation]\ncurency = 'eur'", code, "valuation.curency", "eur");
  expect_refused("[io]\n'valuation.enabled' = true", code, "valuation.enabled", "true");
  expect_refused("tick_bucket_sise = 5", code, "tick_bucket_sise", "5");
  write("pyproject.toml", "[tool.crv.io]\nroot = 'x'\n");
  const auto error = refusal([] { settings_from_toml(); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), code);
  EXPECT_THAT(error->what(), HasSubstr("pyproject.toml: [tool.crv.io] root"));
}

TEST_F(SettingsTest, TablesOfOthersAtTheTopLevelAreLeftAlone) {
  write("crv.toml", "tick_bucket_size = 5\n[lab]\nio = 'x'\n[[people]]\nname = 'a'\n");
  const LoadedSettings top = settings_from_toml();
  EXPECT_EQ(top.settings.tick_bucket_size, 5);
  EXPECT_THAT(top.warnings, IsEmpty());
  write("crv.toml", "title = 'mine'\n[lab]\na = 1\n[io]\ntick_bucket_size = 6\n");
  const LoadedSettings table = settings_from_toml();
  EXPECT_EQ(table.settings.tick_bucket_size, 6);
  EXPECT_THAT(table.warnings, IsEmpty());
}

TEST_F(SettingsTest, SettingsBesideTheirTableAreWarnedOf) {
  write("crv.toml", "tick_bucket_size = 5\n[io]\nroot_dir = 'x'\n");
  const LoadedSettings loaded = settings_from_toml();
  EXPECT_EQ(loaded.settings.tick_bucket_size, 100);
  EXPECT_THAT(loaded.warnings, ElementsAre(HasSubstr("crv.toml: tick_bucket_size was not read")));
  write("pyproject.toml", "[tool.crv]\nroot_dir = 'x'\n");
  const LoadedSettings project = settings_from_toml("pyproject.toml");
  EXPECT_EQ(project.settings.root_dir, "out");
  EXPECT_THAT(project.warnings, ElementsAre(HasSubstr("[tool.crv] root_dir was not read")));
}

TEST_F(SettingsTest, TheFirstFileThatSaysSomethingWins) {
  write("pyproject.toml", "[project]\nname = 'x'\n[tool.crv.io]\ntick_bucket_size = 3\n");
  EXPECT_EQ(settings_from_toml().settings.tick_bucket_size, 3);
  EXPECT_EQ(origin_of(settings_from_toml(), "tick_bucket_size"), "pyproject.toml");
  write("crv.toml", "[other]\na = 1\n");
  EXPECT_EQ(settings_from_toml().settings.tick_bucket_size, 3);
  write("crv.toml", "[io]\n");
  EXPECT_EQ(settings_from_toml().settings.tick_bucket_size, 3);
  write("crv.toml", "[io]\nroot_dir = 'x'\n");
  EXPECT_EQ(settings_from_toml().settings.tick_bucket_size, 100);
  EXPECT_EQ(settings_from_toml().settings.root_dir, "x");
}

TEST_F(SettingsTest, TheNameOfAFileDecidesWhereItIsRead) {
  write("deep/pyproject.toml", "root_dir = 'top'\n[io]\nroot_dir = 'io'\n[tool.crv.io]\nroot_dir = 'tool'\n");
  EXPECT_EQ(settings_from_toml("deep/pyproject.toml").settings.root_dir, "tool");
  fs::copy_file("deep/pyproject.toml", "other.toml");
  EXPECT_EQ(settings_from_toml("other.toml").settings.root_dir, "io");
}

TEST_F(SettingsTest, FilesThatCannotBeReadAreRefused) {
  const auto expect_file_refused = [](const std::string& path, const std::string& text) {
    SCOPED_TRACE(path);
    const auto error = refusal([&] { settings_from_toml(path); });
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->code(), ErrorCode::config_file);
    EXPECT_THAT(error->what(), HasSubstr(text));
    EXPECT_THAT(error->what(), HasSubstr(error->facts().path));
  };
  expect_file_refused("missing.toml", "No such file");
  fs::create_directory("folder.toml");
  expect_file_refused("folder.toml", "folder");
  write("torn.toml", "[io]\nroot_dir = 'x'\ntick_bucket_size = \n");
  expect_file_refused("torn.toml", "line 3");
  write("pyproject.toml", "[tool");
  expect_file_refused("", "pyproject.toml");
  write("pyproject.toml", "[tool]\ncrv = 5\n");
  const auto error = refusal([] { settings_from_toml(); });
  ASSERT_TRUE(error.has_value());
  EXPECT_THAT(error->what(), HasSubstr("pyproject.toml: [tool] crv is 5"));
  fs::remove("pyproject.toml");
  fs::create_symlink("nowhere", "crv.toml");
  expect_file_refused("", "crv.toml");
}

TEST_F(SettingsTest, AnErrorOfTheDiskIsToldByItsNumber) {
  SimOs disk;
  disk.put("crv.toml", "tick_bucket_size = 7\n");
  for (const OsCall call : {OsCall::open_to_read, OsCall::read}) {
    disk.set_hook([&](const SimOp& op) { return op.call == call ? EIO : 0; });
    SettingsLoading loading{IoSettings{}};
    const auto error = refusal([&] { apply_toml(loading, "", disk); });
    ASSERT_TRUE(error) << name_of(call);
    EXPECT_EQ(error->code(), ErrorCode::config_file);
    EXPECT_EQ(error->facts().os_error, EIO);
    EXPECT_EQ(error->facts().path, "crv.toml");
    EXPECT_EQ(disk.open_files(), 0U);
  }
  disk.set_hook([interrupted = false](const SimOp& op) mutable {
    return op.call == OsCall::read && !std::exchange(interrupted, true) ? EINTR : 0;
  });
  SettingsLoading loading{IoSettings{}};
  apply_toml(loading, "", disk);
  EXPECT_EQ(std::move(loading).result().settings.tick_bucket_size, 7);
}

TEST_F(SettingsTest, UnknownVariablesAreWarnedOfUnlessThePrefixIsEmpty) {
  const Environment environment = {
      {"CRV_IO_COMPRESION", "lz4"}, {"CRV_IO_FS_OPTIONS", "{}"}, {"CRV_IO_EMPTY", ""}, {"HOME", "/root"}};
  const LoadedSettings loaded = settings_from_env({}, "CRV_IO_", environment);
  EXPECT_EQ(loaded.settings, IoSettings{});
  EXPECT_THAT(loaded.warnings, ElementsAre(HasSubstr("CRV_IO_COMPRESION"), HasSubstr("CRV_IO_FS_OPTIONS")));
  const LoadedSettings bare = settings_from_env({}, "", {{"HOME", "/root"}, {"TICK_BUCKET_SIZE", "4"}});
  EXPECT_EQ(bare.settings.tick_bucket_size, 4);
  EXPECT_THAT(bare.warnings, IsEmpty());
}

TEST_F(SettingsTest, EmptyVariablesDoNotCount) {
  const LoadedSettings loaded = load_settings({}, {{"CRV_IO_ROOT_DIR", ""}, {"CRV_IO_TICK_BUCKET_SIZE", ""}});
  EXPECT_EQ(loaded.settings, IoSettings{});
  EXPECT_EQ(origin_of(loaded, "root_dir"), "default");
}

TEST_F(SettingsTest, ABaseIsKeptWhereNothingIsGiven) {
  IoSettings base;
  base.root_dir = "mine";
  base.row_group_size = 10;
  const LoadedSettings loaded = settings_from_env(base, "CRV_IO_", {{"CRV_IO_ROW_GROUP_SIZE", "11"}});
  EXPECT_EQ(loaded.settings.root_dir, "mine");
  EXPECT_EQ(loaded.settings.row_group_size, 11);
  EXPECT_EQ(origin_of(loaded, "root_dir"), "given");
  EXPECT_EQ(origin_of(loaded, "compression"), "default");
}

TEST_F(SettingsTest, TheProcessEnvironmentIsRead) {
  ASSERT_EQ(setenv("CRV_IO_CURRENT_TEST", "a=b", 1), 0);
  EXPECT_EQ(process_environment().at("CRV_IO_CURRENT_TEST"), "a=b");
  ASSERT_EQ(unsetenv("CRV_IO_CURRENT_TEST"), 0);
  EXPECT_EQ(process_environment().count("CRV_IO_CURRENT_TEST"), 0);
}

TEST(CheckSettings, AcceptsWhatADatasetCanWorkWith) {
  IoSettings settings;
  EXPECT_NO_THROW(check_settings(settings));
  settings.valuation.vwap_window_ticks = 0;  // the store does not read it
  EXPECT_NO_THROW(check_settings(settings));
}

TEST(CheckSettings, NamesTheFieldAndItsValue) {
  const auto expect_field = [](auto change, const std::string& key, const std::string& value) {
    IoSettings settings;
    change(settings);
    const auto error = refusal([&] { check_settings(settings); });
    ASSERT_TRUE(error.has_value()) << key;
    EXPECT_EQ(error->code(), ErrorCode::config_value);
    EXPECT_EQ(error->facts().key, key);
    EXPECT_EQ(error->facts().value, value);
    EXPECT_THAT(error->what(), HasSubstr(key));
  };
  expect_field([](auto& s) { s.tick_bucket_size = 0; }, "tick_bucket_size", "0");
  expect_field([](auto& s) { s.row_group_size = -1; }, "row_group_size", "-1");
  expect_field([](auto& s) { s.write_manifest_every_n = 0; }, "write_manifest_every_n", "0");
  expect_field([](auto& s) { s.partitioning = "x"; }, "partitioning", "x");
  expect_field([](auto& s) { s.fs_protocol = "s3"; }, "fs_protocol", "s3");
}

TEST(SettingsJson, HoldsEveryFieldAndComesBack) {
  IoSettings settings;
  settings.root_dir = "elsewhere";
  settings.tick_bucket_size = 7;
  settings.compression = Compression::lz4;
  settings.fs_options.push_back("a", JsonArray{1, "b"});
  settings.strict_schema = false;
  settings.valuation.cost_method = CostMethod::lifo;
  settings.durability = Durability::none;
  const JsonObject fields = to_json(settings);
  EXPECT_EQ(fields.size(), load_settings({}, {}).origins.size());
  EXPECT_EQ(*fields.find("valuation.cost_method"), Json("lifo"));
  EXPECT_EQ(settings_from_json(fields), settings);
  EXPECT_EQ(settings_from_json({}), IoSettings{});
}

TEST(SettingsJson, RefusesWhatNoSettingCanBe) {
  const auto error = refusal([] { settings_from_json({{"tick_bucket_size", 0}}); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::config_value);
  EXPECT_EQ(error->facts().key, "tick_bucket_size");
  EXPECT_EQ(error->facts().value, "0");
  const auto unknown = refusal([] { settings_from_json({{"tick_bucket", 1}}); });
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->code(), ErrorCode::config_unknown_key);
}

}  // namespace
}  // namespace crv::io
