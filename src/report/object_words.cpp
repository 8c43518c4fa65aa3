#include "object_words.hpp"

#include <algorithm>

#include "changes.hpp"

namespace plumbline::report {

namespace {

std::string words(const std::vector<Mention>& mentions) {
  std::string text;
  for (const Mention& mention : mentions) {
    if (!text.empty()) text += ", ";
    text += mention.what;
    if (!mention.what.empty()) text += ' ';
    if (mention.from.empty()) {
      text += mention.to;
    } else {
      text += mention.from + " -> " + (mention.to.empty() ? "none" : mention.to);
    }
  }
  return text;
}

std::string why(const Step& step) {
  std::string text(format(step.why));
  if (step.cause) text += " of " + format(*step.cause);
  for (const std::string& network : step.networks) text += ", network " + network;
  return text;
}

bool goes_without_saying(const Object& object, const Mention& mention) {
  // What a replaced object had, and a port that leaves its bridge, is forgotten, not set to
  // nothing.
  if (mention.to.empty() && object.change == Change::replace) return true;
  if (mention.to.empty() && mention.what.starts_with("port.")) return true;
  bool said = false;
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    if constexpr (requires { K::in_key; }) {
      if (!std::holds_alternative<typename K::Key>(object.last->key)) return;
      said = std::ranges::find(K::in_key, mention.what) != K::in_key.end();
    }
  });
  return said;
}

bool says_all(const Key& key) {
  bool all = false;
  Kinds::for_each([&]<class K>(std::type_identity<K>) {
    if constexpr (requires { requires K::key_says_all; }) {
      all = all || std::holds_alternative<typename K::Key>(key);
    }
  });
  return all;
}

/// All that a tunnel has are addresses, numbers, public keys and fingerprints of the others.
std::string shown_words(const Step& step, const std::string& words) {
  return std::holds_alternative<WireGuard::Key>(step.key) ? escaped(words) : printable(words);
}

bool is_in_force(const Plan& plan) {
  return std::ranges::none_of(
      plan.warnings, [](const Diagnostic& warning) { return warning.code == Code::not_in_force; });
}

}  // namespace

std::string_view sign_of(Change change) {
  switch (change) {
    case Change::create:
      return "+";
    case Change::update:
      return "~";
    case Change::replace:
      return "-/+";
    case Change::remove:
      return "-";
  }
  return "";
}

std::string words_of(const Object& object) {
  const Step& step = *object.last;
  std::string text = printable(format(step.key));
  std::vector<Mention> mentions = changes(object.before(), object.after());
  std::erase_if(mentions,
                [&](const Mention& mention) { return goes_without_saying(object, mention); });
  if (step.why == Why::adopted) {
    for (const Mention& mention : mark_changes(object.before(), object.after())) {
      mentions.push_back(mention);
    }
  }
  const std::string changed = words(mentions);
  const bool said = object.change != Change::update && says_all(step.key);
  if (!changed.empty() && !said) text += ": " + shown_words(step, changed);
  text += "  (" + printable(why(step)) + ")";
  if (object.disrupts() == Disruption::traffic) text += "  ! disrupts traffic";
  return text;
}

std::vector<std::string> rules_of(const Object& object) {
  std::vector<std::string> rules;
  for (const std::string& rule : rule_changes(object.before(), object.after())) {
    rules.push_back(printable(rule));
  }
  return rules;
}

std::string waits_of(const Blocked& blocked) {
  std::string text;
  for (const std::string& need : blocked.waits_for) {
    text += (text.empty() ? "" : ", ") + printable(need);
  }
  return text;
}

std::string closing_of(const Plan& plan) {
  if (plan.empty()) {
    if (!is_in_force(plan)) return "No changes, but not all rules are in force.";
    return plan.blocked.empty() ? "No changes. The host matches the spec."
                                : "No changes can be made now.";
  }
  const Summary counts = summary(plan);
  return "Plan: " + std::to_string(counts.create) + " to create, " + std::to_string(counts.update) +
         " to update, " + std::to_string(counts.replace) + " to replace, " +
         std::to_string(counts.remove) + " to delete.";
}

}  // namespace plumbline::report
