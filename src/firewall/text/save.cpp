// The text of iptables-save, read as a stream that knows quotes.

#include <algorithm>
#include <array>
#include <map>

#include "plumbline/firewall/text/iptables.hpp"

namespace plumbline::firewall {

namespace {

/// Options whose argument iptables-save prints as it is, and which may begin with a quote.
bool is_printed_bare(std::string_view option) {
  constexpr std::array<std::string_view, 12> options = {"-A",
                                                        "-j",
                                                        "-g",
                                                        "-i",
                                                        "-o",
                                                        "--physdev-in",
                                                        "--physdev-out",
                                                        "--match-set",
                                                        "--add-set",
                                                        "--del-set",
                                                        "--name",
                                                        "--hashlimit-name"};
  return std::find(options.begin(), options.end(), option) != options.end();
}

class SaveReader {
 public:
  explicit SaveReader(std::string_view text) : text_(text) {}

  std::vector<SavedTable> read() {
    while (at_ < text_.size()) line();
    if (open_)
      throw wire::Malformed("iptables-save: table " + tables_.back().name + " has no COMMIT");
    return std::move(tables_);
  }

 private:
  void line() {
    const char first = text_[at_];
    if (first == '-' || first == '[') return rule();
    const std::string_view line = rest_of_line();
    if (line.empty()) return;
    if (first == '#') return note(line);
    if (first == '*') return table(line.substr(1));
    if (first == ':') return chain(line.substr(1));
    if (line != "COMMIT" || !open_)
      throw wire::Malformed("iptables-save: '" + std::string(line) + "'");
    open_ = false;
  }

  std::string_view rest_of_line() {
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    const std::string_view line = text_.substr(at_, end - at_);
    at_ = end + 1;
    return line;
  }

  void note(std::string_view line) {
    // ebtables-nft-save(8) has no COMMIT; iptables-save(8) prints it before this.
    if (line.starts_with("# Completed on ")) open_ = false;
    // iptables-nft-save(8) prints this and nothing of the table, and succeeds. Base chains that it
    // cannot show are another note, behind which all that it can show follows.
    const bool incompatible = line.find("incompatible") != std::string_view::npos;
    if (incompatible && line.find("incompatible base-chains") == std::string_view::npos) {
      throw wire::Malformed("iptables-save cannot show everything: " + std::string(line.substr(1)));
    }
  }

  void table(std::string_view name) {
    if (open_ || name.empty()) throw wire::Malformed("iptables-save: a table inside another");
    tables_.push_back({std::string(name), {}});
    chains_.clear();
    open_ = true;
  }

  /// `:NAME POLICY [packets:bytes]`
  void chain(std::string_view line) {
    const std::size_t space = line.find(' ');
    if (!open_ || space == std::string_view::npos || space == 0) {
      throw wire::Malformed("iptables-save: ':" + std::string(line) + "'");
    }
    SavedChain chain;
    chain.name = line.substr(0, space);
    const std::string_view policy = line.substr(space + 1, line.find(' ', space + 1) - space - 1);
    // ebtables says what it does at the end of a chain that is not built in.
    if (policy != "-" && policy != "RETURN") chain.policy = policy;
    chains_[chain.name] = tables_.back().chains.size();
    tables_.back().chains.push_back(std::move(chain));
  }

  /// `[packets:bytes] -A CHAIN words…`; the counters only with `iptables-save -c`.
  void rule() {
    if (text_[at_] == '[') at_ = std::min(text_.find(' ', at_), text_.size() - 1) + 1;
    if (!text_.substr(at_).starts_with("-A "))
      throw wire::Malformed("iptables-save: a rule without -A");
    at_ += 3;
    const std::size_t end = std::min(text_.find_first_of(" \n", at_), text_.size());
    const auto found = chains_.find(std::string(text_.substr(at_, end - at_)));
    if (!open_ || found == chains_.end()) {
      throw wire::Malformed("iptables-save: a rule of a chain that is not declared");
    }
    at_ = end;
    if (at_ < text_.size() && text_[at_] == ' ') ++at_;
    const std::size_t start = at_;
    skip_words();
    tables_.back().chains[found->second].rules.emplace_back(text_.substr(start, at_ - start));
    ++at_;
  }

  /// To the newline that ends the rule.
  void skip_words() {
    std::string_view before;
    while (at_ < text_.size() && text_[at_] != '\n') {
      const std::size_t start = at_;
      if (text_[at_] == '"' && !is_printed_bare(before)) {
        skip_quoted();
      } else {
        at_ = std::min(text_.find_first_of(" \n", at_), text_.size());
      }
      before = text_.substr(start, at_ - start);
      if (at_ < text_.size() && text_[at_] == ' ') ++at_;
    }
    if (at_ >= text_.size()) throw wire::Malformed("iptables-save: the text ends within a rule");
  }

  void skip_quoted() {
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    if (at_ >= text_.size()) throw wire::Malformed("iptables-save: a quote is not closed");
    ++at_;
    if (at_ < text_.size() && text_[at_] != ' ' && text_[at_] != '\n') {
      throw wire::Malformed("iptables-save: a word goes on behind its closing quote");
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool open_ = false;
  std::vector<SavedTable> tables_;
  std::map<std::string, std::size_t> chains_;
};

}  // namespace

std::vector<SavedTable> read_save(std::string_view text) { return SaveReader(text).read(); }

}  // namespace plumbline::firewall
