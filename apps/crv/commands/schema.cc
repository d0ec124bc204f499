// crv schema
#include <memory>

#include "crv/core/definition.h"
#include "crv/core/error.h"
#include "crv/core/shown.h"
#include "crv/core/suggest.h"
#include "output/text_table.h"
#include "shell/shell.h"

namespace crv::cli {
namespace {

struct SchemaArguments {
  std::string table;
  std::string run;
};

const core::TableDescriptor& descriptor_of(const std::string& name) {
  if (const auto* table = core::find_stored_table(name)) return *table;
  ErrorFacts facts;
  facts.table = name;
  raise(ErrorCode::unknown_table, core::no_such_table(name), facts);
}

Json descriptor_json(const core::TableDescriptor& table) {
  JsonArray columns;
  for (const auto& column : table.columns) {
    columns.push_back(JsonObject{{"name", column.name},
                                 {"dtype", core::text_of(column.type)},
                                 {"required", column.required},
                                 {"doc", column.doc}});
  }
  return JsonObject{{"table", table.name},
                    {"version", table.version.text()},
                    {"doc", table.doc},
                    {"columns", std::move(columns)}};
}

void print_catalog(Shell& shell) {
  if (shell.globals.json) {
    JsonArray tables;
    for (const auto& table : core::list_tables()) tables.push_back(descriptor_json(table));
    shell.print_json(JsonObject{{"tables", std::move(tables)}});
    return;
  }
  TextTable text({{"table"}, {"columns", true}, {"what it holds"}});
  for (const auto& table : core::list_tables())
    text.add({table.name, std::to_string(table.columns.size()), table.doc});
  shell.print(text.take());
}

void print_table(Shell& shell, const std::string& name) {
  const auto& table = descriptor_of(name);
  if (shell.globals.json) {
    shell.print_json(descriptor_json(table));
    return;
  }
  TextTable text({{"column"}, {"type"}, {"required"}, {"what it holds"}});
  for (const auto& column : table.columns)
    text.add({column.name, core::text_of(column.type), column.required ? "yes" : "", column.doc});
  shell.print(table.name + ", schema " + table.version.text() + ": " + table.doc + "\n\n" + text.take());
}

void print_definition(Shell& shell, const core::TableDescriptor& table) {
  TextTable text({{"column"}, {"type"}, {"required"}, {"what it holds"}});
  for (const auto& column : table.columns)
    text.add({printable(column.name), core::text_of(column.type),
              column.required   ? "yes"
              : column.inferred ? "inferred"
                                : "",
              printable(column.doc)});
  shell.print(table.name + ", version " + table.version.text() +
              (table.doc.empty() ? "" : ": " + printable(table.doc)) + "\n\n" + text.take() + "\n");
}

void print_held(Shell& shell, const SchemaArguments& arguments) {
  auto dataset = shell.open_existing(arguments.run);
  const auto columns = dataset.columns(arguments.table);
  const auto own = core::find_stored_table(arguments.table) ? nullptr : dataset.find_table(arguments.table);
  if (shell.globals.json) {
    JsonObject answer{{"run_id", arguments.run}, {"table", arguments.table}, {"columns", columns}};
    if (own) answer.push_back("definition", core::to_json(*own));
    shell.print_json(answer);
    return;
  }
  if (own) print_definition(shell, *own);
  TextTable text({{"column"}, {"type in run " + arguments.run}});
  for (const auto& [name, type] : columns) {
    const auto* word = type.get_if<std::string>();
    text.add({printable(name), word != nullptr ? *word : write_json(type, {.spaces = true})});
  }
  shell.print(text.take());
}

void print_schema(Shell& shell, const SchemaArguments& arguments) {
  if (!arguments.run.empty())
    print_held(shell, arguments);
  else if (!arguments.table.empty())
    print_table(shell, arguments.table);
  else
    print_catalog(shell);
}

}  // namespace

void add_schema(CLI::App& app, Shell& shell) {
  const auto arguments = std::make_shared<SchemaArguments>();
  auto* command = add_command(app, "schema", "Show the tables there are, or the columns of one",
                              "  crv schema holdings\n  crv schema exchange --run run1",
                              [&shell, arguments] { print_schema(shell, *arguments); });
  auto* table =
      command->add_option("TABLE", arguments->table, "Name of the table; without it all are listed");
  command
      ->add_option("--run", arguments->run, "Show what this run holds in the table, extra columns included")
      ->type_name("RUN")
      ->needs(table);
}

}  // namespace crv::cli
