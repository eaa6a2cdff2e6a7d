"""Video rooms of consultations: who may enter, who came, which process carries them, and what was recorded."""
