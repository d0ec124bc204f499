// crv man (hidden): the man page, docs/crv.1, made from the command line's own tree.
#include "shell/help.h"
#include "shell/shell.h"

namespace crv::cli {
namespace {

std::string roff(const std::string& text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    out += c == '\\' ? "\\e" : c == '-' ? "\\-" : std::string(1, c);
    line_start = c == '\n';
  }
  return out;
}

std::string options_text(const std::vector<const CLI::Option*>& options) {
  std::string text;
  for (const auto* option : options)
    text += ".TP\n.B " + roff(signature_of(*option)) + "\n" + roff(option->get_description()) + ".\n";
  return text;
}

std::string example_of(const CLI::App& app) {
  const std::string footer = app.get_footer();
  return ".PP\n.nf\n" + roff(footer.substr(footer.find('\n') + 1)) + "\n.fi\n";
}

std::string command_text(const CLI::App& command) {
  const std::string arguments = arguments_of(command);
  std::string text = ".SS crv " + roff(command.get_name()) +
                     (arguments.empty() ? "" : " " + roff(arguments)) + "\n" +
                     roff(command.get_description()) + ".\n";
  for (const auto* argument : positionals_of(command)) {
    text +=
        ".TP\n.I " + roff(argument->get_name(true, false)) + "\n" + roff(argument->get_description()) + ".\n";
  }
  return text + options_text(options_of(command)) + example_of(command);
}

constexpr const char* kEnd = R"(.SH FORMATS
Files are read by their extension (.parquet .pq .csv .jsonl .ndjson .json .arrow .arrows .feather .ipc), else by their
first bytes.
What gzip, zstd, bzip2 or lz4 has compressed is read as what it was before (rows.csv.gz); a JSON file may also hold one
array of objects.
Text is UTF\-8.
CSV is cut at commas, semicolons or tabs.
In CSV a struct or list is JSON text, an empty cell is null, and a quoted empty one is an empty text.
In JSON lines, numbers that are none are written NaN, Infinity and \-Infinity, as Python does.
.SH MEMORY
A limit of address space (ulimit \-v) must leave 192 MiB; below that the commands that read or write a run are refused. Below some 100 MiB even the libraries that the command is made of do not load.
crv append holds the rows of all its files in memory, unless \-\-commit\-rows bounds them; scan and verify hold a few parts.
Where memory ends, that is an error (out_of_memory), and the run is whole.
.SH ENVIRONMENT
.TP
.B CRV_IO_ROOT_DIR, CRV_IO_TICK_BUCKET_SIZE, ...
One for each setting that crv config lists; over the settings file.
.SH FILES
.TP
.B crv.toml, pyproject.toml
Settings, in table [io] (or at the top level) of the first or in [tool.crv.io] of the second, in the working directory.
.TP
.I DIR\fB/runs/\fIRUN
A run.
.SH EXIT STATUS
0 for success, also where the reader of standard output went away; 1 where the data or the request is wrong; 2 for a
command line that cannot be understood; 130 after Ctrl\-C. A run is whole after each of them.
.PP
Of append and record 0 means that all rows are committed. What fails after that, such as refreshing a manifest on a full
disk, is a warning. Any other status means that not all are: what was committed before the error, with \-\-commit\-rows or
tick by tick, is told with it, with \-\-json as "committed" of the error. With \-\-token the same command can be repeated
until its status is 0.
)";

std::string page(const CLI::App& app) {
  std::string text =
      std::string(".\\\" Made by: crv man. Do not edit.\n.TH CRV 1 \"\" \"crv ") + CRV_VERSION +
      "\" \"User Commands\"\n.SH NAME\ncrv \\- keep what a simulation emits\n.SH SYNOPSIS\n.B crv\n.I "
      "COMMAND\n[\\fIARGUMENTS\\fR] [\\fIOPTIONS\\fR]\n.SH DESCRIPTION\n" +
      roff(app.get_description()) + "\nData go to standard output, words to standard error.\n.SH COMMANDS\n";
  for (const auto* command : commands_of(app)) text += command_text(*command);
  return text + ".SH OPTIONS OF ALL COMMANDS\n" + options_text(options_of(app)) + kEnd;
}

}  // namespace

void add_man(CLI::App& app, Shell& shell) {
  add_command(app, "man", "Print the man page", "  crv man > docs/crv.1", [&app, &shell] {
    shell.print(page(app));
  })->group("");
}

}  // namespace crv::cli
