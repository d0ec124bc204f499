// What the verbs answer, as JSON for programs.
#include "crv/io/dataset.h"

namespace crv::io {
namespace {

JsonArray texts(const std::vector<std::string>& list) {
  return {list.begin(), list.end()};
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
