// A piece of a spec for testing the decoders of kinds, and what they complained of.

#pragma once

#include <string>
#include <vector>

#include "plumbline/wire/entry.hpp"

namespace plumbline::test {

/// Reads one JSON document. Faults found while reading or decoding gather in it.
class SpecText {
 public:
  explicit SpecText(std::string_view text)
      : node_(
            wire::read_document(text, std::make_shared<const std::string>("spec"), diagnostics_)) {}
  SpecText(const SpecText&) = delete;
  SpecText& operator=(const SpecText&) = delete;

  /// The whole document. Throws std::bad_optional_access when it was none.
  [[nodiscard]] wire::Entry entry() { return {node_.value(), reading_}; }
  /// The member of that key of the whole document.
  [[nodiscard]] wire::Entry member(std::string_view key) { return entry().find(key).value(); }

  [[nodiscard]] const std::vector<Diagnostic>& errors() const { return diagnostics_.errors; }
  /// `CODE /pointer` of each error, in the order they were found.
  [[nodiscard]] std::vector<std::string> faults() const {
    std::vector<std::string> faults;
    for (const Diagnostic& error : diagnostics_.errors) {
      faults.push_back(std::string(format(error.code)) + ' ' + error.pointer);
    }
    return faults;
  }

 private:
  Diagnostics diagnostics_;
  TableNames tables_;
  wire::Reading reading_{diagnostics_, tables_};
  std::optional<wire::Node> node_;
};

}  // namespace plumbline::test
