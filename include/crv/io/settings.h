// Settings of a Dataset, and where each came from: defaults < TOML file < environment, field by field.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "crv/core/constants.h"
#include "crv/core/json.h"

namespace crv::io {

enum class Compression { zstd, lz4, snappy };
enum class Durability {
  commit,  // an acknowledged append survives a power cut
  none,    // no fsync at all: for runs that may be thrown away
};
enum class CostMethod { wac, fifo, lifo, specific_lot };
enum class PriceSource { last_trade, baseline_value, vwap_window, oracle };

// The text by which settings name a value: "zstd", "specific_lot".
std::string_view text_of(Compression value) noexcept;
std::string_view text_of(Durability value) noexcept;
std::string_view text_of(CostMethod value) noexcept;
std::string_view text_of(PriceSource value) noexcept;

// How holdings are valued. Kept for the code that computes valuations; the store itself does not read it.
struct ValuationSettings {
  bool enabled = false;
  CostMethod cost_method = CostMethod::wac;
  PriceSource price_source = PriceSource::last_trade;
  std::int64_t vwap_window_ticks = 10;  // ticks
  std::string currency = "native";

  bool operator==(const ValuationSettings&) const = default;
};

// A plain value: nothing is checked here. Numbers are checked by the loaders below and at a Dataset's first
// use.
struct IoSettings {
  std::string root_dir = "out";  // runs are kept in <root_dir>/runs; relative to the working directory
  std::string partitioning = "tick_buckets";  // the only scheme there is
  // ticks a bucket, > 0; fixed for a run at its first write
  std::int64_t tick_bucket_size = core::tick_bucket_size;
  std::int64_t row_group_size = core::row_group_size;  // rows a Parquet row group, > 0
  Compression compression = Compression::zstd;         // codec of the parts; zstd at level 1
  std::string fs_protocol = "file";                    // the only one there is
  JsonObject fs_options;                               // kept as given; the local disk has none
  bool strict_schema = true;                // refuse columns that the table does not have; else keep them
  std::int64_t write_manifest_every_n = 1;  // 1: when due; n > 1: at the latest after n commits
  ValuationSettings valuation;
  Durability durability = Durability::commit;

  bool operator==(const IoSettings&) const = default;
};

// Throws IoConfigError (config_value) naming the first field that no Dataset can work with.
void check_settings(const IoSettings& settings);

// Every field by its key ("tick_bucket_size", "valuation.currency"), in declaration order; and back, over the
// defaults. Throws IoConfigError (config_value, config_unknown_key).
JsonObject to_json(const IoSettings& settings);
IoSettings settings_from_json(const JsonObject& fields);

// Where the value of a field came from: "default", a file's path, the name of an environment variable, or
// "given" for what a loader's caller brought along in `base`.
struct SettingOrigin {
  std::string key;    // "root_dir", "valuation.currency"
  std::string value;  // as text
  std::string origin;
};

struct LoadedSettings {
  IoSettings settings;
  std::vector<SettingOrigin> origins;  // every field, in declaration order, valuation's after their prefix
  std::vector<std::string> warnings;   // e.g. an unknown variable CRV_IO_COMPRESION
};

using Environment = std::map<std::string, std::string>;  // the process's variables; tests give their own
Environment process_environment();

// TOML over `base`. With an empty path: crv.toml, then pyproject.toml of the working directory, the first
// with a non-empty table for crv winning; neither there is fine, one that cannot be read is not. With a path:
// that file, which must exist. A file named pyproject.toml is read under [tool.crv.io], any other under [io]
// if it has that table, else at its top level, where tables of others are left alone. Throws IoConfigError
// naming file, key and value.
LoadedSettings settings_from_toml(const std::string& path = {}, const IoSettings& base = {});
// Variables <prefix><FIELD> and <prefix>VALUATION_<FIELD> over `base`; empty ones do not count.
LoadedSettings settings_from_env(const IoSettings& base = {}, const std::string& prefix = "CRV_IO_",
                                 const Environment& environment = process_environment());
// Both: environment over TOML over defaults.
LoadedSettings load_settings(const std::string& path = {},
                             const Environment& environment = process_environment());

}  // namespace crv::io
