#include "io/storage/paths.h"

#include <utility>

#include "core/number_text.h"
#include "core/utf8.h"
#include "crv/core/error.h"
#include "crv/core/shown.h"

namespace crv::io {
namespace {

constexpr int kSeqDigits = 20;
constexpr int kBucketDigits = 6;
constexpr std::string_view kBucketPrefix = "bucket=";
constexpr std::string_view kPartPrefix = "part-";
constexpr std::string_view kPartSuffix = ".parquet";
constexpr std::string_view kCommitSuffix = ".json";
constexpr std::string_view kFoldSuffix = ".jsonl";
constexpr std::string_view kTemporarySuffix = ".tmp";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// For messages: with the start of a name of any length.
std::string quoted(std::string_view text) {
  return '"' + shortened(text) + '"';
}

// U+0080 to U+009F in UTF-8.
bool has_c1_control(std::string_view text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i)
    if (text[i] == '\xc2' && static_cast<unsigned char>(text[i + 1]) < 0xa0) return true;
  return false;
}

// Why `name` cannot be one part of a path; empty where it can.
std::string_view fault_of_name(std::string_view name) {
  if (name.empty()) return "it is empty";
  if (name == "." || name == "..") return "it names a folder of the file system";
  for (const char c : name) {
    if (c == '/' || c == '\\') return "it holds a path separator";
    if (is_control(c)) return "it holds a control character";
  }
  if (!is_utf8(name)) return "it is not UTF-8";
  if (has_c1_control(name)) return "it holds a control character";
  return {};
}

[[noreturn]] void raise_bad_run_id(std::string_view run_id, std::string_view why) {
  raise(ErrorCode::bad_run_id, "run id " + quoted(run_id) + " cannot be used: " + std::string(why),
        {.run_id = std::string(run_id), .value = std::string(run_id)});
}

// A last guard: whoever calls has checked names that came from a user or from disk.
void check_name(std::string_view what, std::string_view name) {
  const auto fault = fault_of_name(name);
  if (fault.empty()) return;
  raise(ErrorCode::bad_argument,
        std::string(what) + " " + quoted(name) + " cannot be part of a path: " + std::string(fault),
        {.value = std::string(name)});
}

void check_at_least(std::string_view what, std::int64_t value, std::int64_t least) {
  if (value >= least) return;
  raise(
      ErrorCode::bad_argument,
      std::string(what) + " is " + std::to_string(value) + ", but must be at least " + std::to_string(least),
      {.value = std::to_string(value)});
}

std::string padded(std::int64_t value, int width) {
  const auto digits = std::to_string(value);
  const auto missing = width - static_cast<int>(digits.size());
  return missing > 0 ? std::string(static_cast<std::size_t>(missing), '0') + digits : digits;
}

// Digits only, and a value that fits; any width.
std::optional<std::int64_t> parse_digits(std::string_view text) {
  if (text.empty()) return std::nullopt;
  for (const char c : text)
    if (!is_digit(c)) return std::nullopt;
  return core::parse_number<std::int64_t>(text);
}

std::optional<std::int64_t> parse_seq(std::string_view text) {
  if (text.size() != kSeqDigits) return std::nullopt;
  const auto seq = parse_digits(text);
  return seq && *seq >= 1 ? seq : std::nullopt;
}

// What stands between `prefix` and `suffix`.
std::optional<std::string_view> inside(std::string_view text, std::string_view prefix,
                                       std::string_view suffix) {
  if (text.size() < prefix.size() + suffix.size() || !text.starts_with(prefix) || !text.ends_with(suffix))
    return std::nullopt;
  return text.substr(prefix.size(), text.size() - prefix.size() - suffix.size());
}

}  // namespace

std::string join(std::string_view a, std::string_view b) {
  if (a.empty() || b.starts_with('/')) return std::string(b);
  std::string out(a);
  if (out.back() != '/') out += '/';
  out += b;
  return out;
}

std::string parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) return "";
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

std::string base_name_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

void check_run_id(std::string_view run_id) {
  const auto fault = fault_of_name(run_id);
  if (!fault.empty()) raise_bad_run_id(run_id, fault);
}

RunPaths::RunPaths(std::string root_dir, std::string run_id)
    : root_dir_(std::move(root_dir)), run_id_(std::move(run_id)) {
  check_run_id(run_id_);
  run_ = join(runs_root(root_dir_), run_id_);
}

std::string RunPaths::run_json() const {
  return join(run_, "run.json");
}
std::string RunPaths::bundle_manifest() const {
  return join(run_, "bundle.manifest.json");
}
std::string RunPaths::log() const {
  return join(run_, "log");
}

std::string RunPaths::commit(std::int64_t seq) const {
  check_at_least("a commit's number", seq, 1);
  return join(log(), padded(seq, kSeqDigits) + std::string(kCommitSuffix));
}

std::string RunPaths::fold(std::int64_t first, std::int64_t last) const {
  check_at_least("a fold's first number", first, 1);
  check_at_least("a fold's last number", last, first);
  return join(log(), padded(first, kSeqDigits) + "-" + padded(last, kSeqDigits) + std::string(kFoldSuffix));
}

std::string RunPaths::tables() const {
  return join(run_, "tables");
}

std::string RunPaths::table(std::string_view table) const {
  check_name("table name", table);
  return join(tables(), table);
}

std::string RunPaths::manifest(std::string_view table) const {
  return join(this->table(table), "manifest.json");
}

std::string RunPaths::bucket(std::string_view table, std::int64_t bucket) const {
  return join(this->table(table), std::string(kBucketPrefix) + bucket_key(bucket));
}

std::string RunPaths::part(std::string_view table, std::int64_t bucket, std::string_view file) const {
  check_name("part file name", file);
  return join(this->bucket(table, bucket), file);
}

std::string RunPaths::artifacts() const {
  return join(run_, "artifacts");
}

std::string RunPaths::aside(std::string_view label) const {
  check_name("label", label);
  return join(join(run_, "aside"), label);
}

std::string runs_root(std::string_view root_dir) {
  return join(root_dir, "runs");
}

std::string bucket_key(std::int64_t bucket) {
  check_at_least("a bucket's number", bucket, 0);
  return padded(bucket, kBucketDigits);
}

std::string part_file(std::string_view id) {
  return std::string(kPartPrefix) + std::string(id) + std::string(kPartSuffix);
}

std::string temporary_name(std::string_view name, std::string_view id) {
  return "." + std::string(name) + "." + std::string(id) + std::string(kTemporarySuffix);
}

std::string_view part_id(std::string_view name) {
  const auto id = inside(name, kPartPrefix, kPartSuffix);
  return id && is_hex_id(*id) ? *id : std::string_view();
}

bool is_part_file(std::string_view name) {
  return !part_id(name).empty();
}

bool is_temporary_name(std::string_view name) {
  const auto middle = inside(name, ".", kTemporarySuffix);
  if (!middle || middle->size() < kIdDigits + 2) return false;
  const auto id_at = middle->size() - kIdDigits;
  return (*middle)[id_at - 1] == '.' && is_hex_id(middle->substr(id_at));
}

std::optional<std::int64_t> parse_bucket_folder(std::string_view name) {
  const auto digits = inside(name, kBucketPrefix, "");
  return digits ? parse_bucket_key(*digits) : std::nullopt;
}

std::optional<std::int64_t> parse_bucket_key(std::string_view key) {
  if (key.size() < kBucketDigits || (key.size() > kBucketDigits && key.front() == '0')) return std::nullopt;
  return parse_digits(key);
}

std::optional<std::int64_t> parse_commit_file(std::string_view name) {
  const auto digits = inside(name, "", kCommitSuffix);
  return digits ? parse_seq(*digits) : std::nullopt;
}

std::optional<FoldRange> parse_fold_file(std::string_view name) {
  const auto range = inside(name, "", kFoldSuffix);
  if (!range || range->size() != 2 * kSeqDigits + 1 || (*range)[kSeqDigits] != '-') return std::nullopt;
  const auto first = parse_seq(range->substr(0, kSeqDigits));
  const auto last = parse_seq(range->substr(kSeqDigits + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return FoldRange{*first, *last};
}

std::int64_t bucket_id_for_tick(std::int64_t tick, std::int64_t bucket_size) {
  check_at_least("tick_bucket_size", bucket_size, 1);
  check_at_least("tick", tick, 0);
  return tick / bucket_size;
}

BucketTicks ticks_of_bucket(std::int64_t bucket, std::int64_t bucket_size) {
  const std::int64_t first = bucket > INT64_MAX / bucket_size ? INT64_MAX : bucket * bucket_size;
  return {first, first > INT64_MAX - (bucket_size - 1) ? INT64_MAX : first + (bucket_size - 1)};
}

std::string validate_run_id(std::string_view run_id) {
  check_run_id(run_id);
  for (const char c : run_id) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter || is_digit(c) || c == '.' || c == '_' || c == ':' || c == '-') continue;
    raise_bad_run_id(run_id, "only letters, digits and . _ : - may stand in it");
  }
  return std::string(run_id);
}

std::string normalize_run_id(std::string_view run_id) {
  // What Python's str.strip takes for white space, of ASCII.
  static constexpr std::string_view kSpace = "\t\n\v\f\r\x1c\x1d\x1e\x1f ";
  const auto first = run_id.find_first_not_of(kSpace);
  if (first == std::string_view::npos) raise_bad_run_id(run_id, "it is empty");
  std::string out(run_id.substr(first, run_id.find_last_not_of(kSpace) - first + 1));
  for (char& c : out)
    if (c == ' ') c = '_';
  return validate_run_id(out);
}

}  // namespace crv::io
