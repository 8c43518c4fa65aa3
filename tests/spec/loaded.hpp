// A spec loaded from texts in memory, and what load() said about it, as lines.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "plumbline/spec/load.hpp"
#include "tests/support/memory_files.hpp"

namespace plumbline::spec {

struct Loaded {
  Spec spec;
  std::vector<std::string> errors;
  std::vector<Diagnostic> diagnostics;
};

inline Loaded load_with(FileReader& files, const std::vector<std::string>& sources) {
  Diagnostics diagnostics;
  Loaded loaded;
  loaded.spec = load(sources, files, diagnostics);
  for (const auto& error : diagnostics.errors) loaded.errors.push_back(format(error));
  loaded.diagnostics = diagnostics.errors;
  return loaded;
}

/// Several files, in the order of their names.
inline Loaded load_files(const std::map<std::string, std::string>& texts) {
  testing::MemoryFiles files(texts);
  std::vector<std::string> sources;
  for (const auto& [path, text] : texts) sources.push_back(path);
  return load_with(files, sources);
}

/// One file, `a.json`: `{"version": 1, MEMBERS}`, the members on line 2.
inline Loaded load_members(const std::string& members) {
  return load_files({{"a.json", "{\"version\":1,\n" + members + "}"}});
}

}  // namespace plumbline::spec
