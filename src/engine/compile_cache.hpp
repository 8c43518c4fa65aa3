// What iptables made of rules, kept in files for the next process. Private to the compiler.
//
// A file is a hint: whatever is wrong with it, or with writing it, rules are compiled as if there
// were none.

#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "known_rules.hpp"

namespace plumbline::engine {

[[nodiscard]] std::string to_file(const KnownRules& known);
/// Nothing when it is not what to_file() made for this key. `linked`: all rules have code.
[[nodiscard]] std::optional<KnownRules> from_file(std::string content, std::string_view key,
                                                  bool linked);

class CompileCache {
 public:
  /// Keeps nothing when the path is empty.
  explicit CompileCache(std::filesystem::path directory) : directory_(std::move(directory)) {}

  [[nodiscard]] std::optional<KnownRules> read(const std::string& key, bool linked) const;
  void write(const KnownRules& known) const;

 private:
  std::filesystem::path directory_;
};

}  // namespace plumbline::engine
