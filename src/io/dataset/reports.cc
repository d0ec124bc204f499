// What the verbs answer, as JSON for programs.
#include "crv/io/dataset.h"

namespace crv::io {
namespace {

JsonArray texts(const std::vector<std::string>& list) {
  return {list.begin(), list.end()};
}

Json or_null(const std::optional<std::int64_t>& number) {
  return number ? Json(*number) : Json();
}

}  // namespace

Json to_json(const AppendSummary& summary) {
  JsonArray parts, buckets;
  for (const PartSummary& part : summary.parts) {
    JsonObject p;
    p.push_back("bucket_id", part.bucket_id);
    p.push_back("path", part.path);
    p.push_back("rows", part.rows);
    p.push_back("bytes", part.bytes);
    p.push_back("tick_min", part.tick_min);
    p.push_back("tick_max", part.tick_max);
    parts.emplace_back(std::move(p));
  }
  for (std::int64_t bucket : summary.buckets) buckets.emplace_back(bucket);
  JsonObject o;
  o.push_back("table", summary.table);
  o.push_back("run_id", summary.run_id);
  o.push_back("parts", std::move(parts));
  o.push_back("rows", summary.rows);
  o.push_back("buckets", std::move(buckets));
  if (summary.quarantined) o.push_back("quarantined", *summary.quarantined);
  if (!summary.defined.empty()) o.push_back("defined", texts(summary.defined));
  return o;
}

Json to_json(const PartPlan& plan) {
  JsonObject o;
  o.push_back("path", plan.part.path);
  o.push_back("bucket_id", plan.part.bucket_id);
  o.push_back("rows", plan.part.rows);
  o.push_back("bytes", plan.part.bytes);
  o.push_back("tick_min", plan.part.tick_min);
  o.push_back("tick_max", plan.part.tick_max);
  o.push_back("kept", plan.kept);
  o.push_back("reason", plan.reason);
  return o;
}

Json to_json(const TableInfo& table) {
  JsonObject o;
  o.push_back("table", table.table);
  o.push_back("rows", table.rows);
  o.push_back("bytes", table.bytes);
  o.push_back("parts", table.parts);
  o.push_back("tick_min", or_null(table.tick_min));
  o.push_back("tick_max", or_null(table.tick_max));
  o.push_back("buckets", JsonArray(table.buckets.begin(), table.buckets.end()));
  return o;
}

Json to_json(const CommitInfo& commit) {
  JsonArray tables;
  for (const CommitInfo::Change& change : commit.tables) {
    JsonObject c;
    c.push_back("table", change.table);
    c.push_back("parts_added", change.parts_added);
    c.push_back("rows_added", change.rows_added);
    c.push_back("bytes_added", change.bytes_added);
    c.push_back("parts_removed", change.parts_removed);
    tables.emplace_back(std::move(c));
  }
  JsonObject o;
  o.push_back("seq", commit.seq);
  o.push_back("id", commit.id);
  o.push_back("time", commit.time);
  o.push_back("writer", commit.writer);
  o.push_back("kind", commit.kind);
  o.push_back("tables", std::move(tables));
  o.push_back("complete_through", or_null(commit.complete_through));
  if (commit.token)
    o.push_back("token", JsonObject{{"writer", commit.token->writer}, {"number", commit.token->number}});
  return o;
}

Json to_json(const RebuildReport& report) {
  JsonObject o;
  o.push_back("table", report.manifest.table);
  o.push_back("from_log", report.from_log);
  o.push_back("rows", report.manifest.rows());
  o.push_back("bytes", report.manifest.bytes());
  o.push_back("parts", report.manifest.parts());
  o.push_back("legacy", texts(report.legacy));
  o.push_back("uncommitted", texts(report.uncommitted));
  o.push_back("damaged", texts(report.damaged));
  o.push_back("foreign", texts(report.foreign));
  o.push_back("kept_aside", texts(report.kept_aside));
  return o;
}

Json to_json(const VerifyReport& report) {
  JsonArray findings;
  for (const Finding& finding : report.findings) {
    JsonObject f;
    f.push_back("severity", finding.severity);
    f.push_back("code", finding.code);
    f.push_back("path", finding.path);
    f.push_back("message", finding.message);
    findings.emplace_back(std::move(f));
  }
  JsonObject o;
  o.push_back("ok", report.ok);
  o.push_back("commits", report.commits);
  o.push_back("tables", report.tables);
  o.push_back("parts", report.parts);
  o.push_back("rows", report.rows);
  o.push_back("bytes", report.bytes);
  o.push_back("findings", std::move(findings));
  return o;
}

}  // namespace crv::io
