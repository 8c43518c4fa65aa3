#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "plumbline/engine/ledger.hpp"
#include "plumbline/memory/json.hpp"
#include "plumbline/spec/assignments.hpp"

namespace plumbline::engine {

namespace json = boost::json;

namespace {

// ---- the whole ----------------------------------------------------------------------------------

json::object to_json(const Ledger& ledger) {
  json::array tables;
  for (const auto& [family, table] : ledger.tables_made) {
    tables.push_back({{"family", format(family)}, {"table", table}});
  }
  json::object assignments;
  for (const spec::Assignment& assignment : ledger.assignments) {
    assignments[assignment.tap.view()] = spec::format(assignment);
  }
  json::object root = memory::memory_to_json(ledger.memory);
  root["tables_made"] = tables;
  root["assignments"] = assignments;
  root["unended"] = json::array(ledger.flows_to_flush.begin(), ledger.flows_to_flush.end());
  return root;
}

Ledger ledger_from(const wire::Entry& root) {
  Ledger ledger;
  ledger.memory = memory::memory_from_json(root);
  if (const auto tables = root.find("tables_made")) {
    tables->for_each_element([&](const wire::Entry& entry) {
      const auto family = parse_family(entry.string("family").value_or(""));
      const auto table = entry.string("table");
      if (family && table) ledger.tables_made.emplace(*family, *table);
    });
  }
  if (const auto assignments = root.find("assignments")) {
    assignments->for_each_member([&](const wire::Entry& entry) {
      const auto tap = IfName::parse(entry.key());
      const auto text = entry.string();
      if (!tap || !text) return;
      auto assignment = spec::parse_assignment(*text, *tap);
      if (assignment) ledger.assignments.push_back(*std::move(assignment));
    });
    std::ranges::sort(ledger.assignments);
  }
  if (const auto flows_to_flush = root.find("unended")) {
    flows_to_flush->for_each_element([&](const wire::Entry& entry) {
      if (auto name = entry.string()) ledger.flows_to_flush.insert(*std::move(name));
    });
  }
  return ledger;
}

}  // namespace

std::string format(const Ledger& ledger) { return json::serialize(to_json(ledger)); }

std::optional<Ledger> parse_ledger(const std::string& text, const std::string& path,
                                   std::string& fault) {
  Diagnostics diagnostics;
  const auto root =
      wire::read_document(text, std::make_shared<const std::string>(path), diagnostics);
  if (!root || root->get<wire::Object>() == nullptr) {
    const bool told = !diagnostics.errors.empty();
    fault = told ? format(diagnostics.errors.front()) : path + ": not a ledger";
    return std::nullopt;
  }
  const TableNames tables;
  wire::Reading reading{diagnostics, tables};
  return ledger_from(wire::Entry(*root, reading));
}

}  // namespace plumbline::engine
