// The text of iptables-save, read once, as a stream that knows quotes.

#include <algorithm>
#include <array>
#include <map>
#include <utility>

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

/// The name in "# Table `filter' is incompatible, use 'nft' tool."
std::string_view quoted_name(std::string_view note) {
  const auto first = note.find('`');
  const auto last = note.find('\'', first);
  if (first == std::string_view::npos || last == std::string_view::npos) return note;
  return note.substr(first + 1, last - first - 1);
}

class SaveReader {
 public:
  explicit SaveReader(std::string_view text) : text_(text) {}

  Saved read() {
    while (at_ < text_.size()) line();
    if (!unobservable_.empty()) throw wire::Malformed(unobservable_);
    if (open_) break_off();
    return std::move(saved_);
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
    if (line.find("incompatible") == std::string_view::npos) return;
    const std::string table = "the table '" + std::string(quoted_name(line)) + "'";
    if (line.find("incompatible base-chains") != std::string_view::npos) {
      saved_.warning =
          table + " has base chains that iptables cannot show; look with 'nft list table'";
    } else {
      unobservable_ = table + " holds what iptables cannot show; look with 'nft list table'";
    }
  }

  [[noreturn]] void break_off() const {
    throw wire::Malformed("the saved table '" + std::string(table_) +
                          "' breaks off before its COMMIT");
  }

  void table(std::string_view name) {
    if (open_ || name.empty()) throw wire::Malformed("iptables-save: a table inside another");
    table_ = name;
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
    chain.table = table_;
    chain.name = line.substr(0, space);
    const std::string_view policy = line.substr(space + 1, line.find(' ', space + 1) - space - 1);
    // ebtables says what it does at the end of a chain that is not built in.
    if (policy != "-" && policy != "RETURN") chain.policy = policy;
    chains_[line.substr(0, space)] = saved_.chains.size();
    saved_.chains.push_back(std::move(chain));
  }

  /// `[packets:bytes] -A CHAIN words…`; the counters only with `iptables-save -c`.
  void rule() {
    if (text_[at_] == '[') at_ = std::min(text_.find(' ', at_), text_.size() - 1) + 1;
    if (!text_.substr(at_).starts_with("-A "))
      throw wire::Malformed("iptables-save: a rule without -A");
    at_ += 3;
    const std::size_t end = std::min(text_.find_first_of(" \n", at_), text_.size());
    const auto found = chains_.find(text_.substr(at_, end - at_));
    if (!open_ || found == chains_.end()) {
      throw wire::Malformed("iptables-save: a rule of a chain that is not declared");
    }
    at_ = end;
    if (at_ < text_.size() && text_[at_] == ' ') ++at_;
    const std::size_t start = at_;
    skip_words();
    saved_.chains[found->second].rules.emplace_back(text_.substr(start, at_ - start));
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
    if (at_ >= text_.size()) break_off();
  }

  void skip_quoted() {
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    if (at_ >= text_.size()) break_off();
    ++at_;
    if (at_ < text_.size() && text_[at_] != ' ' && text_[at_] != '\n') {
      throw wire::Malformed("iptables-save: a word goes on behind its closing quote");
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool open_ = false;
  std::string_view table_;
  std::map<std::string_view, std::size_t> chains_;  ///< of the table
  std::string unobservable_;                        ///< why this is not all there is
  Saved saved_;
};

}  // namespace

Saved read_save(std::string_view text) { return SaveReader(text).read(); }

}  // namespace plumbline::firewall
