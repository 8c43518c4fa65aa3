// What iptables made of rules, kept in files for the next process. Private to the compiler.
//
// A file is a hint: whatever is wrong with it, or with writing it, rules are compiled as if there
// were none.

#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "memo.hpp"

namespace plumbline::firewall {

[[nodiscard]] std::string to_file(const Memo& known);
/// Nothing when it is not what to_file() made for this key. `nft`: all rules have code.
[[nodiscard]] std::optional<Memo> from_file(std::string content, std::string_view key, bool nft);

class Cache {
 public:
  /// Keeps nothing when the path is empty.
  explicit Cache(std::filesystem::path directory) : directory_(std::move(directory)) {}

  [[nodiscard]] std::optional<Memo> read(const std::string& key, bool nft) const;
  void write(const Memo& known) const;

 private:
  std::filesystem::path directory_;
};

}  // namespace plumbline::firewall
