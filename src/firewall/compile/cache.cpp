#include "cache.hpp"

#include <algorithm>
#include <cstring>

#include "plumbline/base/digest.hpp"
#include "plumbline/base/sha256.hpp"
#include "plumbline/io/private_files.hpp"

namespace plumbline::firewall {

namespace {

/// Another one for every other format.
constexpr std::string_view magic = "plumbline compiled 2\n";

constexpr std::size_t most_files = 12;
constexpr std::uintmax_t most_bytes = std::uintmax_t{96} << 20U;
constexpr std::size_t most_bytes_of_one = std::size_t{48} << 20U;

/// Damage is what it is for; nobody but us writes there. SHA-256 would be a tenth of all the time
/// that reading a large file takes.
std::string checksum(std::string_view content) {
  const std::uint64_t sum = Digest().add_block(content).value();
  return {reinterpret_cast<const char*>(&sum), sizeof sum};
}

std::string_view view_of(const wire::Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class Writer {
 public:
  void count(std::size_t count) {
    const auto number = static_cast<std::uint32_t>(count);
    text_.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  void text(std::string_view text) {
    count(text.size());
    text_.append(text);
  }
  void rules(const RuleList& rules) {
    count(rules.size());
    for (const FirewallRule& rule : rules) {
      text(rule.text());
      count(rule.code() ? 1 : 0);
      if (!rule.code()) continue;
      text(view_of(rule.code()->expressions));
      text(view_of(rule.code()->userdata));
      count(rule.code()->sets.size());
      for (const std::string& set : rule.code()->sets) text(set);
    }
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

/// Reads what a Writer wrote. After the first thing that cannot be, nothing is good any more.
class Reader {
 public:
  explicit Reader(std::string_view rest) : rest_(rest) {}

  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool at_end() const { return good_ && rest_.empty(); }
  void fail() { good_ = false; }

  std::uint32_t number() {
    std::uint32_t number = 0;
    const std::string_view bytes = take(sizeof number);
    if (good_) std::memcpy(&number, bytes.data(), sizeof number);
    return number;
  }
  /// Of things that have at least that many bytes each.
  std::size_t count(std::size_t least = sizeof(std::uint32_t)) {
    const std::size_t count = number();
    if (count > rest_.size() / least) good_ = false;
    return good_ ? count : 0;
  }
  std::string_view text() { return take(number()); }
  std::string string() { return std::string(text()); }

  RuleList::Rules rules(bool nft) {
    RuleList::Rules rules;
    const std::size_t all = count(2 * sizeof(std::uint32_t));
    rules.reserve(all);
    for (std::size_t i = 0; i < all && good_; ++i) {
      std::string text = string();
      if ((number() == 1) != nft) good_ = false;
      if (!good_) break;
      if (nft) {
        RuleCode read = code();
        if (good_) rules.emplace_back(std::move(text), std::move(read));
      } else {
        rules.emplace_back(std::move(text));
      }
    }
    return rules;
  }

 private:
  std::string_view take(std::size_t size) {
    if (size > rest_.size()) good_ = false;
    if (!good_) return {};
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  wire::Bytes bytes() {
    const std::string_view taken = text();
    const auto* begin = reinterpret_cast<const std::byte*>(taken.data());
    return {begin, begin + taken.size()};
  }

  RuleCode code() {
    RuleCode code;
    code.expressions = bytes();
    code.userdata = bytes();
    const std::size_t sets = count();
    for (std::size_t i = 0; i < sets; ++i) code.sets.push_back(string());
    const auto named = [&](std::uint16_t place) { return place < sets; };
    if (good_ && !std::ranges::all_of(set_indexes(code.expressions), named)) good_ = false;
    return code;
  }

  std::string_view rest_;
  bool good_ = true;
};

void write_chain(Writer& writer, const CompiledChain& chain) {
  writer.count(chain.texts.size());
  for (const std::string_view text : chain.texts) writer.text(text);
  for (const std::uint32_t end : chain.ends) writer.count(end);
  writer.rules(chain.made_insert);
  writer.rules(chain.made_append);
  writer.count(chain.warnings.size());
  for (const auto& [text, warnings] : chain.warnings) {
    writer.text(text);
    writer.count(warnings.size());
    for (const std::string& warning : warnings) writer.text(warning);
  }
}

/// Whether every rule became at least one, of one of the lists.
bool is_whole(const CompiledChain& chain) {
  const std::size_t inserts = chain.made_insert.size();
  std::uint32_t before = 0;
  bool split = inserts == 0;
  for (const std::uint32_t end : chain.ends) {
    if (end <= before) return false;
    split = split || end == inserts;
    before = end;
  }
  return split && before == inserts + chain.made_append.size();
}

CompiledChain read_chain(Reader& reader, const std::shared_ptr<const std::string>& file, bool nft) {
  CompiledChain chain;
  chain.file = file;
  const std::size_t rules = reader.count(2 * sizeof(std::uint32_t));
  chain.texts.reserve(rules);
  chain.ends.reserve(rules);
  for (std::size_t i = 0; i < rules; ++i) chain.texts.push_back(reader.text());
  for (std::size_t i = 0; i < rules; ++i) chain.ends.push_back(reader.number());
  chain.made_insert = reader.rules(nft);
  chain.made_append = reader.rules(nft);
  const std::size_t warned = reader.count();
  for (std::size_t i = 0; i < warned && reader.good(); ++i) {
    std::vector<std::string>& warnings = chain.warnings[reader.string()];
    const std::size_t all = reader.count();
    for (std::size_t j = 0; j < all && reader.good(); ++j) warnings.push_back(reader.string());
  }
  if (!is_whole(chain)) reader.fail();
  return chain;
}

std::string file_name(std::string_view key) { return sha256_hex(key, 16); }

}  // namespace

std::string to_file(const Memo& known) {
  Writer writer;
  writer.text(known.key);
  writer.count(known.declared.size());
  for (const auto& [table, name] : known.declared) {
    writer.text(table);
    writer.text(name);
  }
  writer.count(known.chains.size());
  for (const auto& [name, chain] : known.chains) {
    writer.text(std::get<0>(name));
    writer.text(std::get<1>(name));
    writer.count(std::get<2>(name) ? 1 : 0);
    write_chain(writer, *chain);
  }
  const std::string body = writer.take();
  return std::string(magic) + checksum(body) + body;
}

std::optional<Memo> from_file(std::string content, std::string_view key, bool nft) {
  // The rules' texts stay there.
  const auto file = std::make_shared<const std::string>(std::move(content));
  constexpr std::size_t sum_size = sizeof(std::uint64_t);
  std::string_view body(*file);
  if (!body.starts_with(magic) || body.size() < magic.size() + sum_size) return std::nullopt;
  const std::string_view sum = body.substr(magic.size(), sum_size);
  body.remove_prefix(magic.size() + sum_size);
  if (checksum(body) != sum) return std::nullopt;
  Reader reader(body);
  if (reader.text() != key) return std::nullopt;
  Memo known;
  known.key = key;
  try {
    for (std::size_t left = reader.count(); left > 0 && reader.good(); --left) {
      std::string table = reader.string();
      known.declared.emplace(std::move(table), reader.string());
    }
    for (std::size_t left = reader.count(); left > 0 && reader.good(); --left) {
      std::string table = reader.string();
      std::string name = reader.string();
      const bool shared = reader.number() == 1;
      CompiledChain chain = read_chain(reader, file, nft);
      if (!shared && !chain.made_append.empty()) reader.fail();
      known.chains[{std::move(table), std::move(name), shared}] =
          std::make_shared<const CompiledChain>(std::move(chain));
    }
  } catch (const wire::Malformed&) {
    return std::nullopt;
  }
  return reader.at_end() ? std::optional(std::move(known)) : std::nullopt;
}

// What cannot be read is compiled, and what cannot be kept is compiled again: neither fails a pass.

std::optional<Memo> Cache::read(const std::string& key, bool nft) const try {
  if (directory_.empty()) return std::nullopt;
  const auto directory = io::PrivateDirectory::open(directory_);
  if (!directory) return std::nullopt;
  auto content = directory->read(file_name(key), most_bytes_of_one).content;
  return content ? from_file(std::move(*content), key, nft) : std::nullopt;
} catch (const io::HostError&) {
  return std::nullopt;
}

void Cache::write(const Memo& known) const try {
  if (directory_.empty()) return;
  const auto directory = io::PrivateDirectory::make(directory_);
  const std::string content = to_file(known);
  if (content.size() > most_bytes_of_one) return;
  if (directory.write(file_name(known.key), content)) directory.keep(most_files, most_bytes);
} catch (const io::HostError&) {
}

}  // namespace plumbline::firewall
