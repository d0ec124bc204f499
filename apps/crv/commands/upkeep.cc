// crv manifest, crv rebuild, crv verify
#include <memory>

#include "crv/core/descriptor.h"
#include "crv/core/error.h"
#include "crv/core/shown.h"
#include "crv/core/suggest.h"
#include "output/text_table.h"
#include "output/words.h"
#include "shell/progress.h"
#include "shell/shell.h"

namespace crv::cli {
namespace {

struct TableArguments {
  std::string run, table;
};

std::string manifest_text(const io::TableManifest& manifest) {
  TextTable text({{"bucket", true}, {"ticks"}, {"rows", true}, {"size", true}, {"parts", true}, {"state"}});
  for (const auto& partition : manifest.partitions) {
    text.add({std::to_string(partition.bucket_id), ticks_text(partition.tick_min, partition.tick_max),
              with_commas(partition.row_count), bytes_text(partition.byte_size),
              with_commas(static_cast<std::int64_t>(partition.parts.size())), partition.state});
  }
  return manifest.table + ": " + count_of(manifest.rows(), "row", "rows") + ", " +
         bytes_text(manifest.bytes()) + ", " + count_of(manifest.parts(), "part", "parts") +
         ", up to commit " + std::to_string(manifest.last_seq) + ", updated " + manifest.updated_at + "\n\n" +
         text.take();
}

void print_manifest(Shell& shell, const TableArguments& arguments) {
  auto dataset = shell.open_existing(arguments.run);
  const auto manifest = dataset.manifest(arguments.table);
  if (!manifest) {
    if (!dataset.find_table(arguments.table)) {
      raise(ErrorCode::unknown_table_in_scan, core::no_such_table(arguments.table),
            {.run_id = arguments.run, .table = arguments.table});
    }
    ErrorFacts facts;
    facts.run_id = arguments.run;
    facts.table = arguments.table;
    raise(ErrorCode::table_missing, "run \"" + arguments.run + "\" has no table \"" + arguments.table + "\"",
          facts);
  }
  shell.print(shell.globals.json ? to_json(*manifest) + "\n" : manifest_text(*manifest));
}

void add_list(std::string& text, const std::string& title, const std::vector<std::string>& paths) {
  if (!paths.empty()) {
    text += title + ":\n";
    for (const auto& path : paths) text += "  " + printable(path) + "\n";
  }
}

void rebuild(Shell& shell, const TableArguments& arguments) {
  auto dataset = shell.open_existing(arguments.run);
  io::RebuildReport report;
  {
    ProgressLine line(shell, "rebuild:");
    report = dataset.rebuild_manifest(arguments.table, line.callback());
  }
  dataset.close();
  if (shell.globals.json) {
    shell.print_json(to_json(report));
    return;
  }
  std::string text = std::string("rebuilt from ") +
                     (report.from_log ? "the log" : "what is left of the log, the manifests and the parts") +
                     "\n";
  add_list(text, "parts of the older package, taken in", report.legacy);
  add_list(text, "parts that were not committed, left out", report.uncommitted);
  add_list(text, "damaged", report.damaged);
  add_list(text, "foreign files, left out", report.foreign);
  add_list(text, "what was replaced, kept", report.kept_aside);
  shell.print(text + manifest_text(report.manifest));
}

std::string verify_text(const io::VerifyReport& report) {
  std::string text;
  if (!report.findings.empty()) {
    TextTable findings({{"severity"}, {"what"}, {"where"}, {"message"}});
    for (const auto& finding : report.findings)
      findings.add({finding.severity, finding.code, printable(finding.path), printable(finding.message)});
    text = findings.take() + "\n";
  }
  return text + (report.ok ? "ok: " : "NOT ok: ") + count_of(report.commits, "commit", "commits") + ", " +
         count_of(report.tables, "table", "tables") + ", " + count_of(report.parts, "part", "parts") + ", " +
         count_of(report.rows, "row", "rows") + ", " + bytes_text(report.bytes) + "\n";
}

void verify(Shell& shell, const std::string& run, bool quick) {
  auto dataset = shell.open_existing(run);
  io::VerifyReport report;
  {
    ProgressLine line(shell, "verify:");
    report = dataset.verify(!quick, line.callback());
  }
  if (shell.globals.json)
    shell.print_json(to_json(report));
  else
    shell.print(verify_text(report));
  shell.status = report.ok ? 0 : 1;
}

}  // namespace

void add_upkeep(CLI::App& app, Shell& shell) {
  const auto asked = std::make_shared<TableArguments>();
  auto* manifest =
      add_command(app, "manifest", "Show what a table holds, bucket by bucket",
                  "  crv manifest run1 holdings", [&shell, asked] { print_manifest(shell, *asked); });
  manifest->add_option("RUN", asked->run, "Id of the run")->required();
  manifest->add_option("TABLE", asked->table, "Name of the table")->required();

  const auto mended = std::make_shared<TableArguments>();
  auto* rebuild_command = add_command(
      app, "rebuild",
      "Make a table's manifest anew; where the log is damaged or lost, put the whole run together again",
      "  crv rebuild run1 holdings", [&shell, mended] { rebuild(shell, *mended); });
  rebuild_command->add_option("RUN", mended->run, "Id of the run")->required();
  rebuild_command->add_option("TABLE", mended->table, "Name of the table")->required();

  struct VerifyArguments {
    std::string run;
    bool quick = false;
  };
  const auto verified = std::make_shared<VerifyArguments>();
  auto* verify_command = add_command(
      app, "verify", "Read a whole run and say what is wrong with it (exit status 1 if anything is lost)",
      "  crv verify run1", [&shell, verified] { verify(shell, verified->run, verified->quick); });
  verify_command->add_option("RUN", verified->run, "Id of the run")->required();
  verify_command->add_flag("--quick", verified->quick,
                           "Only what can be seen without reading every byte of the parts");
}

}  // namespace crv::cli
