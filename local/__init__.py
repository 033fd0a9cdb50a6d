"""The whole relay on one machine: an AWS emulator, an event source mapping, a stand-in for Personalize, a demo."""
