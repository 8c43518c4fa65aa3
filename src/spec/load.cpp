#include "plumbline/spec/load.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "check.hpp"
#include "decode.hpp"
#include "merge.hpp"
#include "network_check.hpp"
#include "sources.hpp"

namespace plumbline::spec {

namespace {

/// In the order of the files and of the places in them, whatever found them when; each once.
void order_by_place(std::vector<Diagnostic>& found, const std::vector<std::string>& names) {
  std::map<std::string_view, std::size_t> ranks;
  for (const auto& name : names) ranks.emplace(name, ranks.size() + 1);
  const auto place = [&](const Diagnostic& diagnostic) {
    const Origin& origin = diagnostic.origin;
    const auto rank = origin.known() ? ranks.find(*origin.file) : ranks.end();
    return std::tuple(rank == ranks.end() ? 0 : rank->second, origin.line, origin.column);
  };
  std::ranges::stable_sort(found, std::ranges::less{}, place);
  found.erase(std::unique(found.begin(), found.end()), found.end());
}

/// Whether a key that is missing may be in another file: elements of these arrays never merge.
bool may_be_elsewhere(const Diagnostic& error) {
  return error.code == Code::missing_key && !error.pointer.starts_with("/routes/") &&
         !error.pointer.starts_with("/rules/");
}

/// Decodes and checks what could be read of the documents.
Spec understand(Documents documents, FileReader& files, Diagnostics& diagnostics) {
  const wire::Node tree = merge(std::move(documents.trees), diagnostics);
  const TableNames tables = read_table_names(files);
  wire::Reading reading{diagnostics, tables};
  const wire::Entry root(tree, reading);
  Spec spec = decode(root, files, diagnostics);
  if (documents.complete) {
    check(root, spec.state);
    check_networks(root, spec);
  } else {
    std::erase_if(diagnostics.errors, may_be_elsewhere);
  }
  return spec;
}

}  // namespace

Spec load(const std::vector<std::string>& sources, FileReader& files, Diagnostics& diagnostics) {
  Diagnostics found;
  Documents documents = read_documents(sources, files, found);
  const auto names = documents.names;
  Spec spec;
  if (!documents.trees.empty()) spec = understand(std::move(documents), files, found);
  order_by_place(found.errors, names);
  order_by_place(found.warnings, names);
  found.close();
  std::ranges::move(found.errors, std::back_inserter(diagnostics.errors));
  std::ranges::move(found.warnings, std::back_inserter(diagnostics.warnings));
  return spec;
}

}  // namespace plumbline::spec
