#include "plumbline/engine/ledger_file.hpp"

#include <algorithm>
#include <utility>

#include "plumbline/firewall/compile/iptables_compiler.hpp"
#include "plumbline/io/namespace.hpp"
#include "plumbline/wire/document.hpp"

namespace plumbline::engine {

namespace {

constexpr const char* ledger_file = "ledger.json";

/// The keys alone: a value that was found before us is noted once, and stays.
bool only_forgets_earlier(const State& there, const State& last) {
  bool only = true;
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    for (const K& value : last.of<K>()) only = only && there.find<K>(key(value)) != nullptr;
  });
  return only;
}

/// Of which objects these are, and why; what was refused is found out again.
bool only_forgets_objects(const memory::Memory& there, const memory::Memory& last) {
  const auto has_key = [](const auto& map) {
    return [&](const auto& entry) { return map.contains(entry.first); };
  };
  return std::ranges::all_of(last.followed, has_key(there.followed)) &&
         std::ranges::all_of(last.ports, has_key(there.ports)) &&
         std::ranges::includes(there.indexes, last.indexes) &&
         std::ranges::includes(there.port_of, last.port_of) &&
         std::ranges::includes(there.chains, last.chains);
}

/// Whether losing `last` would lose nothing that `there` does not say.
bool only_forgets(const Ledger& there, const Ledger& last) {
  return only_forgets_earlier(there.memory.earlier, last.memory.earlier) &&
         only_forgets_objects(there.memory, last.memory) &&
         std::ranges::includes(there.memory.applied, last.memory.applied) &&
         std::ranges::includes(there.tables_made, last.tables_made) &&
         std::ranges::includes(there.assignments, last.assignments) &&
         std::ranges::includes(there.flows_to_flush, last.flows_to_flush);
}

/// What iptables made of rules can be made again, so it gives way to what cannot.
void drop_compiled(const std::filesystem::path& root) try {
  const auto compiled = io::PrivateDirectory::open(
      root / std::filesystem::path(firewall::compile_cache_path).filename());
  if (compiled) compiled->keep(0, 0);
} catch (const io::HostError&) {
}

/// All but what was applied.
memory::Memory found_before(memory::Memory memory) {
  memory.applied.clear();
  return memory;
}

std::string what_differs(const Ledger& there, const Ledger& last) {
  std::string words;
  const auto add = [&](bool differs, const char* what) {
    if (differs) words += (words.empty() ? "" : ", ") + std::string(what);
  };
  add(found_before(there.memory) != found_before(last.memory), "the values found before");
  add(there.assignments != last.assignments, "the assignments of guests");
  add(there.tables_made != last.tables_made, "the tables made");
  add(there.flows_to_flush != last.flows_to_flush, "the networks whose flows have to end");
  add(there.memory.applied != last.memory.applied, "what was applied last");
  return words;
}

}  // namespace

std::filesystem::path state_directory(const std::filesystem::path& root) {
  return root / std::to_string(io::namespace_cookie());
}

Ledger read_ledger(const std::filesystem::path& directory, std::string& warning) try {
  const auto place = io::PrivateDirectory::open(directory);
  if (!place) return {};
  const io::PrivateFile file = place->read(ledger_file, wire::max_document_size);
  warning = file.fault;
  if (!file.content) return {};
  return parse_ledger(*file.content, directory / ledger_file, warning).value_or(Ledger());
} catch (const io::NotPrivate& fault) {
  warning = fault.what();
  return {};
}

void LedgerFile::keep_what_is_unusable() {
  if (!std::exchange(unusable_, false)) return;
  kept_as_ = place_->put_aside(ledger_file);
}

/// An empty ledger is no file, which takes no room.
void LedgerFile::write_now(const Ledger& ledger) {
  if (ledger == there_) return;
  if (!place_) place_ = io::PrivateDirectory::make(directory_);
  if (ledger == Ledger()) {
    if (!place_->remove(ledger_file)) io::give_up(directory_ / ledger_file, errno);
  } else {
    const std::string text = format(ledger);
    io::Draft draft = place_->draft(ledger_file, text.size());
    draft.write(text);
    keep_what_is_unusable();
    draft.put_in_place();
  }
  there_ = ledger;
}

void LedgerFile::take_room(const Ledger& first, const Ledger& last, std::size_t more) {
  if (!place_) place_ = io::PrivateDirectory::make(directory_);
  place_->remove_drafts(ledger_file);
  const std::string text = format(last);
  // What is there already comes back after a failure.
  const std::size_t back = first == there_ ? 0 : format(there_).size();
  io::Draft draft = place_->draft(ledger_file, std::max(text.size() + more, back));
  draft.write(text);
  drafted_ = last;
  draft_.emplace(std::move(draft));
}

/// Room first: where there is none, nothing is written that would have to be taken back.
void LedgerFile::write_and_take_room(const Ledger& first, const Ledger& last, std::size_t more) {
  const bool is_more_to_come = last != Ledger() && (last != first || more != 0);
  try {
    if (is_more_to_come) take_room(first, last, more);
    write_now(first);
  } catch (const io::HostError&) {
    draft_.reset();
    throw;
  }
}

void LedgerFile::prepare(const Ledger& first, const Ledger& last, std::size_t more) {
  try {
    try {
      write_and_take_room(first, last, more);
    } catch (const io::HostError&) {
      drop_compiled(directory_.parent_path());
      write_and_take_room(first, last, more);
    }
  } catch (const io::HostError& error) {
    // Flows that nobody ends are no state that could not be put back.
    Ledger found = first;
    found.flows_to_flush = there_.flows_to_flush;
    if (found == there_ && only_forgets(there_, last)) return;
    throw CannotRemember(error.what());
  }
}

void LedgerFile::put_draft_in_place(const Ledger& last) {
  if (last != drafted_) draft_->write(format(last));
  keep_what_is_unusable();
  draft_->put_in_place();
  there_ = last;
}

std::string LedgerFile::write(const Ledger& last) {
  try {
    if (last == there_ || last == Ledger() || !draft_) {
      write_now(last);
    } else {
      put_draft_in_place(last);
    }
    draft_.reset();
    return {};
  } catch (const std::exception& error) {
    draft_.reset();
    return "not remembered: " + what_differs(there_, last) + ": " + error.what();
  }
}

void write_ledger(const std::filesystem::path& directory, const Ledger& ledger) {
  const io::PrivateDirectory place = io::PrivateDirectory::make(directory);
  const std::string text = format(ledger);
  io::Draft draft = place.draft(ledger_file, text.size());
  draft.write(text);
  draft.put_in_place();
}

}  // namespace plumbline::engine
